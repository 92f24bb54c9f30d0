"""Images that stay on others' web servers: read only, by URL."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from pileus.image.drivers.base import DataKey, Sink, StoreFailed
from pileus.image.web import Failed, Refused, Response, Web

GONE = (404, 410)


class HttpSource:
    """Reads that follow each other share one response; others ask for a range, or read up to it where the server has none."""

    def __init__(self, web: Web, url: str) -> None:
        """Raises FileNotFoundError, StoreFailed."""
        self._web = web
        self._url = url
        self._response: Response | None
        try:
            self._response = web.open(url)
        except Failed as error:
            if error.status in GONE:
                raise FileNotFoundError(url) from None
            raise StoreFailed(str(error)) from None
        except Refused as error:
            raise StoreFailed(str(error)) from None
        if self._response.size is None:
            self.close()
            raise StoreFailed("The server does not say how large the image is.")
        self.size = self._response.size

    def read(self, offset: int, length: int) -> bytes:
        end = min(offset + length, self.size)
        pieces = []
        while offset < end:
            pieces.append(self._piece(offset, end - offset))
            offset += len(pieces[-1])
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def close(self) -> None:
        if self._response is not None:
            self._response.close()
            self._response = None

    def _piece(self, offset: int, most: int) -> bytes:
        response = self._response
        if response is None or offset < response.position or (offset > response.position and response.ranges):
            response = self._start(offset)
        try:
            response.skip(offset)
            piece = response.read(most)
        except Failed as error:
            self.close()
            raise StoreFailed(str(error)) from None
        if not piece:
            self.close()
            raise StoreFailed("The image ended early.")
        return piece

    def _start(self, offset: int) -> Response:
        self.close()
        try:
            response = self._web.open(self._url, offset=offset)
        except (Refused, Failed) as error:
            raise StoreFailed(str(error)) from None
        if response.size != self.size:
            response.close()
            raise StoreFailed("The image has changed on its server.")
        self._response = response
        return response


class HttpStore:
    read_only = True

    def __init__(self, name: str, web: Web) -> None:
        self.name = name
        self._web = web

    def create(self, key: DataKey) -> Sink:
        raise StoreFailed(f"The store {self.name} is read only.")

    def open(self, key: DataKey) -> HttpSource:
        return HttpSource(self._web, key.key)

    def delete(self, key: DataKey) -> None:
        """Others' data stay."""

    def keys(self) -> Iterator[DataKey]:
        return iter(())

    def path(self, key: DataKey) -> Path | None:
        return None

    def url(self, key: DataKey) -> str:
        return key.key

    def properties(self) -> Mapping[str, object]:
        return {}
