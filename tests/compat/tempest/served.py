"""What tests make the cloud download: files over HTTP, from this machine to this machine."""

import random
import shutil
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

LOOPBACK = "127.0.0.1"
RAW, QCOW2 = "image.raw", "image.qcow2"
RAW_SIZE = 200_000


class Quiet(SimpleHTTPRequestHandler):
    """GET and HEAD of the folder's files, without a line on standard error for each."""

    def log_message(self, format: str, *args: object) -> None:
        pass


def port(settings: Mapping[str, Any]) -> int:
    """The port on loopback from which the cloud's section `[image]` lets users' URLs download; 0 for none."""
    rules = [str(rule).rpartition(":") for rule in settings.get("web", {}).get("allow", ())]
    return next((int(number) for host, _, number in rules if host == LOOPBACK and number.isdecimal()), 0)


@contextmanager
def served(folder: Path, disk: Path, port: int) -> Iterator[str]:
    """The address of two images: bytes that are no known format, and `disk`, a qcow2. `port`: 0 for any that is free."""
    folder.mkdir(exist_ok=True)
    (folder / RAW).write_bytes(random.Random(RAW_SIZE).randbytes(RAW_SIZE))
    shutil.copyfile(disk, folder / QCOW2)
    with ThreadingHTTPServer((LOOPBACK, port), partial(Quiet, directory=str(folder))) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://{LOOPBACK}:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
