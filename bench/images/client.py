"""A client that costs next to nothing: the kernel moves the bytes."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.system.installation import ENDPOINT, Installation

from bench.images import plain

LONGEST = 600  # seconds that one answer is waited for
WISH = {"disk_format": "raw", "container_format": "bare"}


class Client:
    """The demo user with images of their own."""

    def __init__(self, cloud: Installation) -> None:
        self.cloud = cloud

    def create(self, name: str, **more: Any) -> str:
        made: str = self.cloud.call("POST", "/image/v2/images", WISH | {"name": name} | more)["id"]
        return made

    def show(self, image_id: str) -> Any:
        return self.cloud.call("GET", f"/image/v2/images/{image_id}")

    def delete(self, image_id: str) -> None:
        self.cloud.call("DELETE", f"/image/v2/images/{image_id}")

    def put(self, image_id: str, source: Path, to: str = "file") -> float:
        """Seconds until the data is accepted."""
        started = time.monotonic()
        connection = self._connection()
        try:
            connection.putrequest("PUT", f"/image/v2/images/{image_id}/{to}")
            connection.putheader("x-auth-token", self.cloud.token("demo"))
            connection.putheader("content-type", "application/octet-stream")
            connection.putheader("content-length", str(source.stat().st_size))
            connection.endheaders()
            with source.open("rb") as file:
                connection.sock.sendfile(file)
            reply = connection.getresponse()
            said = reply.read()
            if reply.status != 204:
                raise RuntimeError(f"PUT …/{to} answered {reply.status}: {said[:200]!r}")
        finally:
            connection.close()
        return time.monotonic() - started

    def get(self, image_id: str) -> float:
        """Seconds until all of the data is here, hashed. Raises RuntimeError if it is not the image's."""
        started = time.monotonic()
        with self.reading(image_id) as reply:
            size, digest = plain.receive(reply.readinto)
        taken = time.monotonic() - started
        image = self.show(image_id)
        if (size, digest) != (image["size"], image["os_hash_value"]):
            raise RuntimeError(f"GET …/file answered {reply.status} and {size} bytes that are not the image's")
        return taken

    @contextmanager
    def reading(self, image_id: str, start: int = 0) -> Iterator[HTTPResponse]:
        """The answer to a request for the data from that byte on."""
        connection = self._connection()
        headers = {"x-auth-token": self.cloud.token("demo")} | ({"range": f"bytes={start}-"} if start else {})
        try:
            connection.request("GET", f"/image/v2/images/{image_id}/file", headers=headers)
            yield connection.getresponse()
        finally:
            connection.close()

    def _connection(self) -> HTTPConnection:
        return HTTPConnection(urlsplit(ENDPOINT).netloc, timeout=LONGEST)
