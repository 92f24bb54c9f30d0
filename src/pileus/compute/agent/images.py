"""This host's copies of images: the read-only files that guests' disks start from."""

import hashlib
import io
import os
import re
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from pileus.compute.drivers.base import GuestFailed, ImageRef

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

Fetch = Callable[[str, BinaryIO], None]
"""Writes the data of an image id to a file; called in the thread that asks for the image."""

IMAGE_ID = re.compile(r"[0-9a-fA-F-]{32,36}")
NAME = re.compile(r"(?P<image_id>[0-9a-fA-F-]{32,36})\.[0-9a-f]{16}")
PART = ".part"


class CheckedFile(io.BufferedWriter):
    """A file that hashes what is written to it, and takes no more than `size` bytes."""

    def __init__(self, path: Path, size: int) -> None:
        super().__init__(io.FileIO(path, "wb"), 1 << 20)
        self.digest = hashlib.sha512()
        self.left = size

    def write(self, data: "ReadableBuffer", /) -> int:
        self.left -= memoryview(data).nbytes
        if self.left < 0:
            raise GuestFailed("The image's data is longer than the image is said to be.")
        self.digest.update(data)
        return super().write(data)


class BaseImages:
    """One file for each image, in the image's own format, made by one download however many threads ask for it.

    The folder is passable but not readable: the guests' user opens a file by its name, which holds a part of its hash.
    """

    def __init__(self, folder: Path, fetch: Fetch) -> None:
        self.folder = folder
        self._fetch = fetch
        self._lock = threading.Lock()
        self._busy: dict[str, threading.Lock] = {}
        folder.mkdir(mode=0o711, parents=True, exist_ok=True)
        folder.chmod(0o711)
        for rest in folder.glob(f"*{PART}"):  # of a run that was killed
            rest.unlink(missing_ok=True)

    def ensure(self, ref: ImageRef) -> Path:
        """The verified file of `ref`. Raises GuestFailed when the data is not what the image's size and sha512 say.

        What `fetch` raises comes through. No failure leaves a file.
        """
        path = self._path(ref)
        with self._lock:
            busy = self._busy.setdefault(path.name, threading.Lock())
        with busy:
            if not self._have(path, ref.size):
                self._download(ref, path)
            os.utime(path)  # the time of last use, for evict
        return path

    def evict(self, in_use: set[str], max_bytes: int, max_age: float) -> list[str]:
        """Remove images that no guest uses: all that were last asked for over `max_age` seconds ago, then the longest
        unused until the rest fits `max_bytes`. `in_use` are image ids. Returns the ids of those removed.
        """
        files = sorted((file.stat().st_mtime, file) for file in self.folder.iterdir() if NAME.fullmatch(file.name))
        total = sum(file.stat().st_blocks * 512 for _, file in files)
        oldest = time.time() - max_age
        gone = []
        for used, file in files:
            image_id = file.name.partition(".")[0]
            if image_id in in_use or (used >= oldest and total <= max_bytes):
                continue
            total -= file.stat().st_blocks * 512
            file.unlink()
            gone.append(image_id)
        return gone

    def _path(self, ref: ImageRef) -> Path:
        if not IMAGE_ID.fullmatch(ref.id) or len(ref.sha512) != 128:
            raise ValueError(f"image {ref.id!r} has no valid id or no sha512")
        return self.folder / f"{ref.id}.{ref.sha512[:16].lower()}"

    def _have(self, path: Path, size: int) -> bool:
        try:
            return path.stat().st_size == size
        except FileNotFoundError:
            return False

    def _download(self, ref: ImageRef, path: Path) -> None:
        part = path.with_name(path.name + PART)
        try:
            with CheckedFile(part, ref.size) as file:
                self._fetch(ref.id, file)
                file.flush()
                os.fsync(file.fileno())
            if file.left or file.digest.hexdigest() != ref.sha512.lower():
                got = f"{ref.size - file.left} of {ref.size} bytes, sha512 {file.digest.hexdigest()}"
                raise GuestFailed("The image's data does not match its checksum.", f"image {ref.id}: {got}")
            part.chmod(0o444)
            part.rename(path)
        finally:
            part.unlink(missing_ok=True)
