"""A store of each kind, empty, and a look behind it that does not ask the driver."""

import uuid
from pathlib import Path
from typing import Protocol

from pileus.image.drivers.base import DataKey, Store
from pileus.image.drivers.file import FileStore
from pileus.image.drivers.s3 import S3Store
from tests.drivers.image.s3_server import S3Server

PART = 5 << 20


class Rig(Protocol):
    store: Store
    secrets: tuple[str, ...]
    """Words that nobody is told."""

    def left(self) -> int:
        """Bytes that the store holds, whatever for."""


class FileRig:
    secrets: tuple[str, ...] = ()

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.store: Store = FileStore("local", folder)

    def left(self) -> int:
        return sum(file.stat().st_size for file in self.folder.iterdir()) if self.folder.exists() else 0


class S3Rig:
    def __init__(self, server: S3Server) -> None:
        self.server = server
        self.secrets: tuple[str, ...] = (server.secret,)
        self._before = server.bytes_held()
        self.store: Store = S3Store("remote", server.settings(prefix=f"{uuid.uuid4().hex}/"))

    def left(self) -> int:
        return self.server.bytes_held() - self._before


def new_key(image_id: str = "") -> DataKey:
    return DataKey(image_id or str(uuid.uuid4()), uuid.uuid4().hex)


def pattern(size: int, seed: int = 0) -> bytes:
    """Bytes that differ from place to place."""
    block = b"".join((number * 2654435761 + seed & 0xFFFFFFFF).to_bytes(4, "big") for number in range(1 << 14))
    marks = (number.to_bytes(8, "big") + block for number in range(size // len(block) + 1))
    return b"".join(marks)[:size]


def put(store: Store, key: DataKey, data: bytes, block: int = 1 << 20) -> None:
    sink = store.create(key)
    for start in range(0, len(data), block):
        sink.write(data[start : start + block])
    sink.commit()


def get(store: Store, key: DataKey, block: int = 1 << 20) -> bytes:
    source = store.open(key)
    try:
        return b"".join(source.read(start, block) for start in range(0, source.size, block))
    finally:
        source.close()
