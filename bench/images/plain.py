"""What a plain program does with the same bytes: the least that anybody could."""

import hashlib
import os
import random
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path

BLOCK = 1 << 20
ZEROS = bytes(BLOCK)
STEP = 1 << 30  # a sparse file has one part with data in each
PART = 16 << 20


def make(path: Path, size: int, *, sparse: bool) -> Path:
    """A file of bytes that nobody can foretell; a `sparse` one has mostly holes."""
    chance = random.Random(size)  # noise, not secrets
    with path.open("xb") as file:
        for start in range(0, size, STEP if sparse else PART):
            file.seek(start)
            file.write(chance.randbytes(min(PART, size - start)))
        file.truncate(size)
        os.fsync(file.fileno())
    return path


def copy(source: Path, target: Path) -> float:
    """Seconds to read it, hash it once, and write it durably, with a hole for each block of zeros."""
    started = time.monotonic()
    digest = hashlib.sha512()
    with source.open("rb", buffering=0) as file, target.open("xb", buffering=0) as out:
        while block := file.read(BLOCK):
            digest.update(block)
            if block == ZEROS:
                out.seek(BLOCK, os.SEEK_CUR)
            else:
                out.write(block)
        out.truncate(source.stat().st_size)
        os.fsync(out.fileno())
    taken = time.monotonic() - started
    target.unlink()
    return taken


def send(source: Path) -> float:
    """Seconds to read it, send it over a connection of this machine, and hash it once at the other end."""
    started = time.monotonic()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        sender = threading.Thread(target=_send, args=(source, listener.getsockname()))
        sender.start()
        connection, _ = listener.accept()
        with connection:
            receive(connection.recv_into)
        sender.join()
    return time.monotonic() - started


def receive(read_into: Callable[[bytearray], int]) -> tuple[int, str]:
    """The number of bytes until the end, and their SHA-512 in hex."""
    digest, buffer, size = hashlib.sha512(), bytearray(BLOCK), 0
    view = memoryview(buffer)
    while taken := read_into(buffer):
        digest.update(view[:taken])
        size += taken
    return size, digest.hexdigest()


def _send(source: Path, address: tuple[str, int]) -> None:
    with source.open("rb", buffering=0) as file, socket.create_connection(address) as connection:
        while block := file.read(BLOCK):
            connection.sendall(block)
