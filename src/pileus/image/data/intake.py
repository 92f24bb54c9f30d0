"""One image's bytes on their way in: counted, hashed, inspected and stored, block by block."""

import hashlib

import msgspec

from pileus.image.drivers.base import Sink
from pileus.image.formats import Inspector, check


class Received(msgspec.Struct, frozen=True):
    """Sizes in bytes, digests in hex."""

    size: int
    virtual_size: int | None
    md5: str
    sha512: str


class Oversize(Exception):
    """More than `most` bytes came."""

    def __init__(self, most: int) -> None:
        super().__init__(f"The image's data is longer than the {most} bytes that it may have.")


class Intake:
    """`most` is the number of bytes that may come, None for any. Memory does not grow with them."""

    def __init__(self, sink: Sink, most: int | None) -> None:
        self.size = 0
        self._sink = sink
        self._most = most
        self._md5 = hashlib.md5(usedforsecurity=False)  # the API's `checksum`; sha512 is what is trusted
        self._sha512 = hashlib.sha512()
        self._inspector = Inspector()

    def take(self, block: bytes) -> None:
        """Raises Oversize, StoreFull."""
        self.size += len(block)
        if self._most is not None and self.size > self._most:
            raise Oversize(self._most)
        self._sink.write(block)
        self._md5.update(block)
        self._sha512.update(block)
        self._inspector.feed(block)

    def finish(self, disk_format: str) -> Received:
        """Make the bytes durable. Raises FormatRefused unless they are in `disk_format`, StoreFull."""
        verdict = self._inspector.finish()
        check(verdict, disk_format)
        self._sink.commit()
        return Received(self.size, verdict.virtual_size, self._md5.hexdigest(), self._sha512.hexdigest())
