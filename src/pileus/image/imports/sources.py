"""Where an import's data comes from."""

from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Protocol

from pileus.image.drivers.base import Source


class Incoming(Protocol):
    """Data in order, once. `size` in bytes, where it is known before."""

    @property
    def size(self) -> int | None: ...

    def read(self, length: int) -> bytes:
        """At most `length` bytes; none at the end. Raises StoreFailed, or web's Failed."""

    def close(self) -> None: ...


class FileIncoming:
    """A file of this host."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("rb", buffering=0)
        self.size: int | None = path.stat().st_size

    def read(self, length: int) -> bytes:
        return self._file.read(length) or b""

    def close(self) -> None:
        self._file.close()


class StoredIncoming:
    """Data that a store has."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._at = 0
        self.size: int | None = source.size

    def read(self, length: int) -> bytes:
        data = self._source.read(self._at, length)
        self._at += len(data)
        return data

    def close(self) -> None:
        self._source.close()


def blocks(incoming: Incoming, length: int) -> Generator[bytes]:
    """All of it in blocks; the next one is read while the last is worked on."""
    with ThreadPoolExecutor(1, "image-read") as ahead:
        coming = ahead.submit(_full, incoming, length)
        while block := coming.result():
            coming = ahead.submit(_full, incoming, length)
            yield block


def _full(incoming: Incoming, length: int) -> bytes:
    """A short read is not the end: blocks are as long as they may be, but for the last."""
    parts: list[bytes] = []
    while length > 0 and (part := incoming.read(length)):
        parts.append(part)
        length -= len(part)
    return parts[0] if len(parts) == 1 else b"".join(parts)
