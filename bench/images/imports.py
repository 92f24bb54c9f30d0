"""Imports of data that was staged, and of data that a web server has: how long, and what the worker needs for it."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.system.installation import Installation, wait_for

from bench.figures import Figure
from bench.images.client import LONGEST, Client
from bench.images.peaks import forget_peak, peak
from bench.machine import Meter


def measure(cloud: Installation, source: Path, runs: int) -> list[Figure]:
    client = Client(cloud)

    def staged(image: str) -> dict[str, str]:
        client.put(image, source, "stage")
        return {"name": "glance-direct"}

    with _web(source) as url:
        ways: dict[str, Callable[[str], dict[str, str]]] = {
            "glance-direct": staged,
            "web-download": lambda image: {"name": "web-download", "uri": url},
        }
        return [figure for name, prepare in ways.items() for figure in _figures(client, name, prepare, source, runs)]


def _figures(
    client: Client, name: str, prepare: Callable[[str], dict[str, str]], source: Path, runs: int
) -> Iterator[Figure]:
    cloud, size = client.cloud, source.stat().st_size
    worker = cloud.pid("reconcile")
    forget_peak(worker)
    before = peak(worker)
    took, cpu, others = [], [], []
    for _ in range(runs):
        image = client.create("bench")
        method = prepare(image)
        with Meter(cloud.state) as meter:
            started = time.monotonic()
            cloud.call("POST", f"/image/v2/images/{image}/import", {"method": method})
            wait_for(f"{name} done", partial(_done, client, image), LONGEST, 0.05)
            took.append(time.monotonic() - started)
        cpu.append(1e9 * meter.cpu / size)
        others.append(meter.others)
        if client.show(image)["size"] != size:
            raise RuntimeError(f"{name} brought {client.show(image)['size']} bytes of {size}")
        client.delete(image)
    what = f"{name} of {size >> 30} GiB dense"
    yield Figure(what, "s", took, others, None, f"{size / 1e6 / min(took):.0f} MB/s at best")
    yield Figure(f"{what}, CPU", "s/GB", cpu, others, None, "all processes of the cloud")
    yield Figure(f"worker, peak resident, {what}", "MB", [peak(worker)], others, None, f"{before:.0f} before")


def _done(client: Client, image: str) -> bool:
    status = client.show(image)["status"]
    if status == "queued":
        raise RuntimeError(f"the import failed: {client.cloud.call('GET', f'/image/v2/images/{image}/tasks')}")
    return bool(status == "active")


@contextmanager
def _web(source: Path) -> Iterator[str]:
    """Where a server of this process has the file."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("content-length", str(source.stat().st_size))
            self.end_headers()
            if self.command == "GET":
                with source.open("rb") as file:
                    self.wfile.flush()
                    self.connection.sendfile(file)

        do_HEAD = do_GET

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}/image"
        server.shutdown()
        thread.join()
