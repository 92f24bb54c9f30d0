"""Each kind of store in turn. The S3 server is started once."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.drivers.image.proxy import Proxy, between
from tests.drivers.image.rigs import FileRig, Rig, S3Rig
from tests.drivers.image.s3_server import S3Server, running


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    with running(tmp_path_factory.mktemp("s3") / "log") as server:
        yield server


@pytest.fixture
def proxy(server: S3Server) -> Iterator[Proxy]:
    with between(server.port) as proxy:
        yield proxy


@pytest.fixture(params=["file", "s3"])
def rig(request: pytest.FixtureRequest, tmp_path: Path) -> Rig:
    return FileRig(tmp_path / "images") if request.param == "file" else S3Rig(request.getfixturevalue("server"))
