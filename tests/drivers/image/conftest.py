"""Each kind of store in turn. The S3 server is a real one, started once."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.drivers.image.proxy import Proxy, between
from tests.drivers.image.rigs import FileRig, Rig, S3Rig
from tests.drivers.image.s3_server import Swift, running


@pytest.fixture(scope="session")
def swift(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Swift]:
    with running(tmp_path_factory.mktemp("swift")) as server:
        yield server


@pytest.fixture
def proxy(swift: Swift) -> Iterator[Proxy]:
    with between(swift.port) as proxy:
        yield proxy


@pytest.fixture(params=["file", "s3"])
def rig(request: pytest.FixtureRequest, tmp_path: Path) -> Rig:
    return FileRig(tmp_path / "images") if request.param == "file" else S3Rig(request.getfixturevalue("swift"))
