"""Data out of a bucket: one answer for reads that follow each other, one of the right length for a leap."""

from threading import Lock

from pileus.image.drivers.base import StoreFailed
from pileus.image.s3.bucket import ATTEMPTS, Body, Bucket
from pileus.image.s3.refusals import refusals


class S3Source:
    """Raises FileNotFoundError, StoreFailed. Answers that break off are asked for again from where they broke."""

    def __init__(self, bucket: Bucket, name: str) -> None:
        self._bucket, self._name = bucket, name
        self.size = bucket.size(name)
        self._lock = Lock()
        self._body: Body | None = None
        self._at = self._until = 0

    def read(self, offset: int, length: int) -> bytes:
        end = min(offset + length, self.size)
        blocks: list[bytes] = []
        failures = 0
        with self._lock:
            while offset < end:
                body = self._answer(offset, end)
                try:
                    with refusals(self._bucket.store, "give data"):
                        block = body.read(end - offset)
                    if not block:
                        raise StoreFailed(f"Store {self._bucket.store} could not give data: it ends early")
                except StoreFailed:
                    self._drop()
                    failures += 1
                    if failures == ATTEMPTS:
                        raise
                    continue
                failures = 0
                blocks.append(block)
                offset += len(block)
                self._at = offset
        return b"".join(blocks)

    def close(self) -> None:
        with self._lock:
            self._drop()

    def _answer(self, offset: int, end: int) -> Body:
        """One that continues at `offset`."""
        if self._body is None or offset != self._at or offset == self._until:
            follows = offset == self._at
            self._drop()
            self._body = self._bucket.read(self._name, offset, None if follows else end - 1)
            self._at, self._until = offset, self.size if follows else end
        return self._body

    def _drop(self) -> None:
        if self._body is not None:
            self._body.close()
            self._body = None
