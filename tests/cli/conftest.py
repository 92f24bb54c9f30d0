import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.cli.installation import Installation


@contextmanager
def place() -> Iterator[Path]:
    """A folder that unprivileged roles can reach, which pytest's own are not."""
    folder = Path(tempfile.mkdtemp(prefix="pileus-cli-", dir="/var/tmp"))
    folder.chmod(0o711)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


@pytest.fixture
def folder() -> Iterator[Path]:
    with place() as made:
        yield made


@pytest.fixture
def fresh(folder: Path) -> Iterator[Installation]:
    """Not started; ended when the test has not done so."""
    made = Installation(folder)
    yield made
    made.run("down")
    assert made.processes() == []


@pytest.fixture(scope="package")
def cloud() -> Iterator[Installation]:
    """Up, for all tests that leave it so."""
    with place() as folder:
        made = Installation(folder)
        started = made.up()
        assert started.returncode == 0, started.stdout
        yield made
        audited = made.run("audit")
        assert (audited.returncode, audited.stdout) == (0, "0 findings.\n")
        ended = made.run("down")
        assert (ended.returncode, "pileus is down." in ended.stdout) == (0, True)
        assert made.processes() == []
