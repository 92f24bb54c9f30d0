"""What a driver that keeps images' data can do. Calls block: they run in threads."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Protocol

import msgspec


class DataKey(msgspec.Struct, frozen=True):
    """Names the data of one image in a store.

    In a store that this cloud writes, `key` is of one writer: no two ever share it, so none can overwrite or remove another's
    data. In a store that is only read, `key` is the URL.
    """

    image_id: str
    key: str


class StoreFull(Exception):
    """There is no room for the data."""


class StoreFailed(Exception):
    """The store does not answer, or refuses. The message has no secrets: it may be shown to the image's owner."""


class Sink(Protocol):
    """Takes the data of one writer."""

    def write(self, block: bytes) -> None:
        """Append. Raises StoreFull, StoreFailed."""

    def commit(self) -> None:
        """Return when the data is durable. Raises StoreFull, StoreFailed."""

    def abort(self) -> None:
        """Leave nothing behind. May follow `commit`, may come twice."""


class Source(Protocol):
    """Reads the data of one image."""

    size: int

    def read(self, offset: int, length: int) -> bytes:
        """`length` bytes from `offset`, fewer at the end. Raises StoreFailed."""

    def close(self) -> None: ...


class Store(Protocol):
    """One place where images' data is, under a `name` that operators give it. Safe to use from several threads."""

    name: str
    read_only: bool
    """Its data are others': images only point there by URL."""

    def create(self, key: DataKey) -> Sink:
        """Raises StoreFull, StoreFailed; never called where `read_only`."""

    def open(self, key: DataKey) -> Source:
        """Raises FileNotFoundError, StoreFailed."""

    def delete(self, key: DataKey) -> None:
        """Data that is not there is deleted already; data that are others' stay. Raises StoreFailed."""

    def keys(self) -> Iterator[DataKey]:
        """All that this cloud has stored there, also of writers that never ended; nothing where `read_only`."""

    def path(self, key: DataKey) -> Path | None:
        """A file that this host can read, where the driver has one."""

    def url(self, key: DataKey) -> str:
        """Where the data is, as the locations API shows it: without credentials."""

    def properties(self) -> Mapping[str, object]:
        """What `GET /v2/info/stores/detail` tells administrators of it: no secrets."""
