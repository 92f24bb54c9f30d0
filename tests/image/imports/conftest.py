"""A cloud with three stores (one of them only read) that works on its tasks when a test says so, and a web server beside it."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import cast

import pytest
from starlette.testclient import TestClient

from pileus.image.imports import run
from pileus.kernel.cloud import Cloud
from pileus.kernel.http.app import App
from tests.cloud import cloud_of
from tests.image.api.conftest import IMAGE, JSON


@dataclass
class Web:
    """`pages` by path; `asked` are the paths that were read."""

    address: str
    pages: dict[str, bytes] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def url(self, path: str, data: bytes | None = None) -> str:
        if data is not None:
            self.pages[path] = data
        return f"http://{self.address}{path}"


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        web = cast(Server, self.server).web
        web.asked.append(self.path)
        data = web.pages.get(self.path)
        self.send_response(404 if data is None else 200)
        self.send_header("content-length", str(len(data or b"")))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(data or b"")

    do_HEAD = do_GET

    def log_message(self, format: str, *args: object) -> None:
        pass


class Server(ThreadingHTTPServer):
    web: Web


@pytest.fixture
def handler() -> type[Handler]:
    """How the web server answers: a test module overrides it."""
    return Handler


@pytest.fixture
def web(handler: type[Handler]) -> Iterator[Web]:
    with Server(("127.0.0.1", 0), handler) as server:
        server.web = Web(f"127.0.0.1:{server.server_address[1]}")
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield server.web
        server.shutdown()
        thread.join()


@pytest.fixture
def settings() -> str:
    """More of `[image]`: a test module overrides it."""
    return ""


@pytest.fixture
def cloud(tmp_path: Path, web: Web, settings: str) -> Iterator[Cloud]:
    file = tmp_path / "pileus.toml"
    file.write_text(
        f"""
        [image]
        show_multiple_locations = true
        show_image_direct_url = true
        {settings}
        [image.stores.file]
        [image.stores.second]
        [image.stores.web]
        driver = "http"
        [image.web]
        allow = ["{web.address}"]
        """
    )
    with cloud_of(tmp_path, IMAGE, file=file) as cloud:
        yield cloud


@pytest.fixture
def client(cloud: Cloud) -> Iterator[TestClient]:
    with TestClient(App(cloud, [IMAGE]), raise_server_exceptions=False, headers=JSON) as client:
        yield client


@pytest.fixture
def work(cloud: Cloud) -> Callable[[], int]:
    """Works on all tasks that are due; how many."""
    return run.reconciler(cloud, parallel=1).round
