"""One image's bytes on their way in: counted, hashed, examined and stored, block by block."""

import hashlib
import os
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Protocol

import msgspec

from pileus.image.containers import examiner
from pileus.image.drivers.base import Sink

HASHES = ("sha256", "sha384", "sha512")  # of which users may say what theirs is; ours is the last
# For all of this process' data: hashes are what costs most, and computing one leaves other threads free to run.
_HASHING = ThreadPoolExecutor(os.cpu_count(), "image-hash")
_BEHIND = 2  # blocks that a hash may be behind what was written


class Received(msgspec.Struct, frozen=True):
    """Sizes in bytes, digests in hex."""

    size: int
    virtual_size: int | None
    md5: str
    digest: str
    algorithm: str = "sha512"


class Oversize(Exception):
    """More than `most` bytes came."""

    def __init__(self, most: int) -> None:
        super().__init__(f"The image's data is longer than the {most} bytes that it may have.")


class Witness(Protocol):
    """Sees all bytes, and says at the end whether they are the right ones (a signature, for one)."""

    def update(self, block: bytes) -> None: ...

    def verify(self) -> None:
        """Raises what its maker documents."""


class Digest:
    """One hash of the data, computed beside what else happens to them."""

    def __init__(self, algorithm: str, *, trusted: bool = True) -> None:
        self._hash = hashlib.new(algorithm, usedforsecurity=trusted)
        self._waiting: deque[Future[None]] = deque()

    def update(self, block: bytes) -> None:
        last = self._waiting[-1] if self._waiting else None
        self._waiting.append(_HASHING.submit(self._add, last, block))
        while len(self._waiting) > _BEHIND:
            self._waiting.popleft().result()

    def hexdigest(self) -> str:
        while self._waiting:
            self._waiting.popleft().result()
        return self._hash.hexdigest()

    def _add(self, last: "Future[None] | None", block: bytes) -> None:
        if last is not None:  # it was handed over before, and so has a thread or had one
            last.result()
        self._hash.update(block)


class Intake:
    """`most` is the number of bytes that may come, None for any; `inside` bounds what compressed ones may become.

    Memory does not grow with them.
    """

    def __init__(
        self,
        sink: Sink | None,
        most: int | None,
        disk_format: str,
        *,
        container_format: str = "bare",
        algorithm: str = "sha512",
        witness: Witness | None = None,
        inside: int | None = None,
    ) -> None:
        self.size = 0
        self._sink = sink
        self._most = most
        self._md5 = Digest("md5", trusted=False)  # the API's `checksum`; the other one is what is trusted
        self._hash = Digest(algorithm)
        self._algorithm = algorithm
        self._examiner = examiner(container_format, disk_format, most_inside=inside)
        self._witness = witness

    def take(self, block: bytes) -> None:
        """Raises Oversize, FormatRefused, StoreFull, StoreFailed."""
        self.size += len(block)
        if self._most is not None and self.size > self._most:
            raise Oversize(self._most)
        self._md5.update(block)
        self._hash.update(block)
        if self._sink is not None:
            self._sink.write(block)
        self._examiner.feed(block)
        if self._witness is not None:
            self._witness.update(block)

    def finish(self) -> Received:
        """Make the bytes durable. Raises FormatRefused unless they are what was declared, StoreFull, StoreFailed."""
        verdict = self._examiner.finish()
        if self._witness is not None:
            self._witness.verify()
        if self._sink is not None:
            self._sink.commit()
        return Received(self.size, verdict.virtual_size, self._md5.hexdigest(), self._hash.hexdigest(), self._algorithm)
