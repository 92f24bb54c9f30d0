"""Data on its way into a bucket: one part fills while the one before it is sent."""

import logging
from concurrent.futures import Future, ThreadPoolExecutor, wait

from pileus.image.drivers.base import StoreFailed, StoreFull
from pileus.image.s3.bucket import Bucket

log = logging.getLogger(__name__)


class S3Sink:
    """What fits into one part is sent with `commit`, as one request."""

    def __init__(self, bucket: Bucket, name: str) -> None:
        self._bucket, self._name = bucket, name
        self._part, self._sending = bytearray(), bytearray()  # two for all parts: new ones would fragment the heap
        self._filled = 0
        self._sent = 0
        self._upload = ""
        self._tags: list[Future[str]] = []
        self._thread: ThreadPoolExecutor | None = None
        self._asked = False

    def write(self, block: bytes) -> None:
        rest, size = memoryview(block), self._bucket.settings.part_size
        while rest:
            if self._filled == size:
                self._send()
            some = rest[: size - self._filled]
            self._part[self._filled : self._filled + len(some)] = some
            self._filled += len(some)
            rest = rest[len(some) :]

    def commit(self) -> None:
        self._asked = True
        if not self._upload:
            self._bucket.put(self._name, self._part)
        else:
            self._send()
            tags = [tag.result() for tag in self._tags]
            self._bucket.complete(self._name, self._upload, tags, self._sent)
        self._end()

    def abort(self) -> None:
        """What cannot be removed now, because the store is away, is removed by the sweep."""
        self._end()
        if self._asked:
            try:
                self._bucket.remove(self._name)
            except (StoreFailed, StoreFull) as error:
                log.warning("%s is left in store %s: %s", self._name, self._bucket.store, error)
            else:
                self._asked = False

    def _send(self) -> None:
        if self._tags:
            self._tags[-1].result()
        if len(self._tags) == self._bucket.settings.most_parts:
            raise StoreFull(f"Store {self._bucket.store} takes at most {self._sent} bytes: its part_size is too small")
        if self._thread is None:
            self._asked = True
            self._upload = self._bucket.begin(self._name)
            self._thread = ThreadPoolExecutor(1, thread_name_prefix="s3")
        del self._part[self._filled :]
        self._sent += self._filled
        self._part, self._sending, self._filled = self._sending, self._part, 0
        number = len(self._tags) + 1
        self._tags.append(self._thread.submit(self._bucket.put_part, self._name, self._upload, number, self._sending))

    def _end(self) -> None:
        """A part that came after the upload was given up would stay for good: so wait for it."""
        wait(self._tags)
        self._part, self._sending, self._filled = bytearray(), bytearray(), 0
        if self._thread is not None:
            self._thread.shutdown()
