"""The image service on each database: SQLite, and a real MariaDB, where requests and workers are threads beside each other."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from pileus.image.imports import run
from pileus.kernel.cloud import Cloud
from pileus.kernel.http.app import App
from tests import mariadb
from tests.cloud import cloud_of
from tests.image.api.conftest import IMAGE, JSON
from tests.image.imports.conftest import Handler, Server, Web

CONFIG = """
[image]
show_multiple_locations = true
upload_lease = 3
quota_count = 60
quota_uploading = 5
quota_size_mib = 3
[image.stores.file]
[image.stores.second]
[image.stores.web]
driver = "http"
[image.web]
allow = ["{address}"]
"""


@pytest.fixture(scope="module")
def web() -> Iterator[Web]:
    with Server(("127.0.0.1", 0), Handler) as server:
        server.web = Web(f"127.0.0.1:{server.server_address[1]}")
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield server.web
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module", params=["sqlite", "mariadb"])
def cloud(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, web: Web) -> Iterator[Cloud]:
    folder: Path = tmp_path_factory.mktemp(request.param)
    file = folder / "pileus.toml"
    file.write_text(CONFIG.format(address=web.address))
    if request.param == "sqlite":
        with cloud_of(folder, IMAGE, file=file) as made:
            yield made
    else:
        with (
            mariadb.running(folder / "server") as url,
            cloud_of(folder, IMAGE, file=file, overrides={"database": url}) as made,
        ):
            yield made


@pytest.fixture(scope="module")
def client(cloud: Cloud) -> Iterator[TestClient]:
    with TestClient(App(cloud, [IMAGE]), raise_server_exceptions=False, headers=JSON) as client:
        yield client


@pytest.fixture
def work(cloud: Cloud) -> Callable[[], int]:
    return run.reconciler(cloud, parallel=1).round
