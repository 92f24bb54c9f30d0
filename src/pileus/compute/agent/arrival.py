"""An image on its way to this host: counted, hashed and inspected while it is written, taken up again where it was cut."""

import errno
import hashlib
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType

from pileus.compute.drivers.base import GuestFailed, ImageRef
from pileus.image.formats import FormatRefused, Inspector, check

Fetch = Callable[[str, int], Iterator[bytes]]
"""The data of an image id from a byte on. Raises Interrupted where asking again may help, GuestFailed where not."""

PAUSES = (0.5, 1.0, 2.0, 4.0, 8.0)  # seconds before asking again, as long as nothing new comes
PROGRESS = 1 << 20  # bytes that count as something new
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
ROOM_STEP = 256 << 20  # bytes for which room is looked for at a time


class Interrupted(Exception):
    """The data stopped coming, for a reason that may pass; the text is for the operator."""


def hash_of(algorithm: str) -> "hashlib._Hash":
    """Raises GuestFailed (permanent) for a name that is no hash, or none of fixed length."""
    try:
        made = hashlib.new(algorithm, usedforsecurity=False)
    except ValueError:
        made = None
    if made is None or made.digest_size == 0:
        raise GuestFailed(f"This host cannot check an image's hash of type {algorithm}.", permanent=True)
    return made


def no_room(detail: str) -> GuestFailed:
    return GuestFailed("The host has no room for the image.", detail)


class Arrival:
    """A file that takes what comes of `ref`. `room` is told of bytes that will be written, and raises if there is no place."""

    def __init__(self, ref: ImageRef, path: Path, room: Callable[[int], None]) -> None:
        self.size = 0
        self._ref = ref
        self._room = room
        self._roomy = 0  # bytes for which room was found
        self._hash = hash_of(ref.hash_algorithm or "sha512")
        self._inspector = Inspector()
        self._file = path.open("wb")

    def __enter__(self) -> "Arrival":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._file.close()  # which writes what a failed write has left
        except OSError:
            if error is None:
                raise

    def take(self, block: bytes) -> None:
        """Append. A block of zeros becomes a hole."""
        self.size += len(block)
        if self._ref.size and self.size > self._ref.size:
            raise GuestFailed("The image's data is longer than the image is said to be.")
        if self.size > self._roomy:
            step = max(self._ref.size - self._roomy, ROOM_STEP if not self._ref.size else 0)
            self._room(step)
            self._roomy += step
        self._hash.update(block)
        self._inspector.feed(block)
        if block == bytes(len(block)):
            self._file.seek(len(block), os.SEEK_CUR)
        else:
            self._file.write(block)

    def finish(self) -> str:
        """Make it durable; the hash of all of it in hex. Raises GuestFailed unless it is what `ref` says."""
        ref, found = self._ref, self._hash.hexdigest()
        if (ref.size and self.size != ref.size) or (ref.hash_algorithm and found != ref.hash_value.lower()):
            got = f"{self.size} of {ref.size} bytes, {self._hash.name} {found}"
            raise GuestFailed("The image's data does not match its checksum.", f"image {ref.id}: {got}")
        try:
            check(self._inspector.finish(), ref.disk_format)
        except FormatRefused as refused:
            raise GuestFailed(f"No server is started from such data. {refused}", permanent=True) from None
        self._file.truncate(self.size)
        self._file.flush()
        os.fsync(self._file.fileno())
        return found


def receive(ref: ImageRef, path: Path, fetch: Fetch, room: Callable[[int], None]) -> str:
    """Write the data of `ref` to `path`; its hash in hex. Raises GuestFailed; the file is then the caller's to remove."""
    try:
        with Arrival(ref, path, room) as arrival:
            _fill(arrival, ref.id, fetch)
            return arrival.finish()
    except OSError as error:
        if error.errno in NO_ROOM:
            raise no_room(str(error)) from None
        raise


def _fill(arrival: Arrival, image_id: str, fetch: Fetch) -> None:
    """Until a fetch ends by itself. A cut one goes on where it was; this ends, because each pause but the last brings news."""
    stalls = 0
    while True:
        before = arrival.size
        try:
            for block in fetch(image_id, before):
                arrival.take(block)
        except Interrupted as cut:
            stalls = 0 if arrival.size - before >= PROGRESS else stalls
            if stalls == len(PAUSES):
                raise GuestFailed("The image could not be downloaded to the host.", str(cut)) from None
            time.sleep(PAUSES[stalls])
            stalls += 1
        else:
            return
