"""System tests: root, one network namespace, one cloud with real guests for all of them."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.system import client
from tests.system.installation import Installation, installation
from tests.system.namespace import network_namespace


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker("system")


@pytest.fixture(scope="session")
def namespace() -> Iterator[str]:
    if os.geteuid() != 0:
        pytest.skip("system tests need root")
    client.install()  # now: from inside nothing can be fetched
    with network_namespace(f"pileus-test-{os.getpid()}") as name:
        yield name


@pytest.fixture(scope="session")
def cloud(namespace: str) -> Iterator[Installation]:
    folder = Path(tempfile.mkdtemp(prefix="pileus-test-", dir="/var/tmp"))
    folder.chmod(0o711)
    try:
        with installation(folder / "state") as cloud:
            yield cloud
            cloud.pileus("audit")  # fails with its findings
    finally:
        if not os.environ.get("PILEUS_KEEP_STATE"):
            shutil.rmtree(folder)
