"""What a driver that keeps images' data can do. Calls block: they run in threads."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import msgspec


class DataKey(msgspec.Struct, frozen=True):
    """Names one upload's data; no two uploads ever share a name, so none can overwrite or remove another's."""

    image_id: str
    key: str


class StoreFull(Exception):
    """There is no room for the data."""


class Sink(Protocol):
    """Takes the data of one upload."""

    def write(self, block: bytes) -> None:
        """Append. Raises StoreFull."""

    def commit(self) -> None:
        """Return when the data is durable. Raises StoreFull."""

    def abort(self) -> None:
        """Leave nothing behind. May follow `commit`."""


class Source(Protocol):
    """Reads the data of one image."""

    size: int

    def read(self, offset: int, length: int) -> bytes:
        """`length` bytes from `offset`, fewer at the end."""

    def close(self) -> None: ...


class Store(Protocol):
    name: str

    def create(self, key: DataKey) -> Sink: ...

    def open(self, key: DataKey) -> Source:
        """Raises FileNotFoundError."""

    def delete(self, key: DataKey) -> None:
        """Data that is not there is deleted already."""

    def keys(self) -> Iterator[DataKey]:
        """All that is stored, also of uploads that never ended."""

    def path(self, key: DataKey) -> Path | None:
        """A file that this host can read, where the driver has one."""


@dataclass(frozen=True)
class Stores:
    """The stores of this cloud, as a part of it. There is one; several come with the import API."""

    default: Store
