"""One state folder with its processes for all tests of this folder; each test must leave it in order."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cloud import cloud_of
from tests.image.api.conftest import IMAGE
from tests.image.imports.conftest import Handler, Server, Web
from tests.image.kills.audit import converges
from tests.image.kills.site import Site

SETTINGS = """
[image]
block_size = 65536
convert_to = "raw"
show_multiple_locations = true
[image.stores.file]
[image.stores.second]
[image.stores.web]
driver = "http"
[image.web]
allow = ["{address}"]
"""


@pytest.fixture(scope="package")
def pages() -> Iterator[Web]:
    with Server(("127.0.0.1", 0), Handler) as server:
        server.web = Web(f"127.0.0.1:{server.server_address[1]}")
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield server.web
        server.shutdown()
        thread.join()


@pytest.fixture(scope="package")
def running(tmp_path_factory: pytest.TempPathFactory, pages: Web) -> Iterator[Site]:
    folder: Path = tmp_path_factory.mktemp("kills")
    (folder / "bus").mkdir()
    file = folder / "pileus.toml"
    file.write_text(SETTINGS.format(address=pages.address))
    with cloud_of(folder, IMAGE, file=file) as cloud:
        site = Site(cloud, file, pages)
        yield site
        site.close()


@pytest.fixture
def site(running: Site) -> Iterator[Site]:
    running.start()
    yield running
    running.untell()
    converges(running)
