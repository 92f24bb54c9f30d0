"""This host's copies of images: the read-only files that guests' disks start from."""

import logging
import os
import re
import shutil
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from pileus.compute.agent.arrival import NO_ROOM, Fetch, hash_of, no_room, receive
from pileus.compute.drivers.base import GuestFailed, ImageRef
from pileus.image.formats import qemu_img

log = logging.getLogger(__name__)
IMAGE_ID = re.compile(r"[0-9a-fA-F-]{32,36}")
NAME = re.compile(r"(?P<image_id>[0-9a-fA-F-]{32,36})\.[0-9a-f]{16}(\.qcow2)?")
PART = ".part"
DISKS = {"raw": "raw", "ami": "raw", "iso": "raw", "qcow2": "qcow2"}
CONVERTED = dict.fromkeys(("vmdk", "vdi", "vhd", "vhdx"), "qcow2")
CONTAINERS = ("", "bare", "ami")  # whose data is the disk itself
MARGIN = 600  # seconds: more than the list of images in use may be old when it is handed over


class Cached(NamedTuple):
    used: float  # when it was last asked for
    bytes: int  # on the disk
    file: Path

    @property
    def image_id(self) -> str:
        return self.file.name.partition(".")[0]


def disk_format(ref: ImageRef) -> str:
    """The format of this host's copy of `ref`: raw or qcow2. Raises GuestFailed (permanent) for what no guest can start from."""
    if ref.container_format not in CONTAINERS:
        raise GuestFailed(
            f"A server cannot start from an image in a container of format {ref.container_format}; import it as bare.",
            permanent=True,
        )
    found = (DISKS | CONVERTED).get(ref.disk_format)
    if found is None:
        raise GuestFailed(f"A server cannot start from an image of format {ref.disk_format}.", permanent=True)
    return found


class BaseImages:
    """One file for each image, in a format that guests start from, made by one download however many threads ask for it.

    The folder is passable but not readable: the guests' user opens a file by its name, which holds a part of its hash.
    `min_free` bytes of its file system are kept free of copies.
    """

    def __init__(self, folder: Path, fetch: Fetch, min_free: int = 0) -> None:
        self.folder = folder
        self.min_free = min_free
        self._fetch = fetch
        self._lock = threading.Lock()
        self._coming: dict[str, Future[Path]] = {}
        self._in_use: set[str] = set()
        self._known = 0.0  # the time that `_in_use` is of: what was asked for since may be in use as well
        folder.mkdir(mode=0o711, parents=True, exist_ok=True)
        folder.chmod(0o711)
        for rest in folder.glob(f"*{PART}"):  # of a run that was killed
            rest.unlink(missing_ok=True)

    def ensure(self, ref: ImageRef) -> Path:
        """The verified file of `ref`, in `disk_format(ref)`. Threads that ask for one image share one download and its end.

        Raises GuestFailed when the data is not what `ref` says, cannot be had or has no room. No failure leaves a file.
        """
        disk_format(ref)
        check_ref(ref)
        with self._lock:
            found = self._find(ref)
            if found is not None:
                os.utime(found)  # the time of last use, for evict
                return found
            coming = self._coming.get(ref.id)
            if coming is None:
                mine = self._coming[ref.id] = Future[Path]()
        if coming is not None:
            coming.result()
            return self.ensure(ref)  # for one download may have known less of the image than another
        try:
            path = self._download(ref)
        except BaseException as error:
            mine.set_exception(error)
            raise
        else:
            mine.set_result(path)
            return path
        finally:
            with self._lock:
                del self._coming[ref.id]

    def evict(self, in_use: set[str], max_bytes: int, max_age: float) -> list[str]:
        """Remove images that no guest uses: all that were last asked for over `max_age` seconds ago, then the longest
        unused until the rest fits `max_bytes` and leaves `min_free`. `in_use` are image ids. Returns those removed.
        """
        oldest = time.time() - max_age
        with self._lock:
            self._in_use, self._known = in_use, time.time() - MARGIN
            total = sum(cached.bytes for cached in self._cached() if cached.image_id not in in_use)
            gone = []
            for cached in self._unused():
                if cached.used >= oldest and total <= max_bytes and self._free() >= self.min_free:
                    break
                self._remove(cached)
                total -= cached.bytes
                gone.append(cached.image_id)
        return gone

    def _cached(self) -> list[Cached]:
        """All files, the longest unused first."""
        files = [file for file in self.folder.iterdir() if NAME.fullmatch(file.name)]
        facts = [(file, file.stat()) for file in files]
        return sorted(Cached(stat.st_mtime, stat.st_blocks * 512, file) for file, stat in facts)

    def _unused(self) -> Iterator[Cached]:
        """Those that surely no guest has, nor is about to get."""
        for cached in self._cached():
            if cached.image_id not in self._in_use and cached.used < self._known:
                yield cached

    def _remove(self, cached: Cached) -> None:
        cached.file.unlink()
        log.info("image %s: %d MB removed from this host", cached.image_id, cached.bytes / 1e6)

    def _free(self) -> int:
        return shutil.disk_usage(self.folder).free

    def _make_room(self, size: int) -> None:
        """Remove the longest unused until `size` bytes more leave `min_free`. Raises GuestFailed if they do not."""
        with self._lock:
            for cached in self._unused():
                if self._free() >= size + self.min_free:
                    return
                self._remove(cached)
            free = self._free()
        if free < size + self.min_free:
            raise no_room(f"{free} bytes are free, {size} needed, {self.min_free} to be kept free")

    def _find(self, ref: ImageRef) -> Path | None:
        """Without a hash any copy of the image's size will do: each was checked when it came."""
        suffix = ".qcow2" if ref.disk_format in CONVERTED else ""
        if ref.hash_algorithm:
            names = [self.folder / f"{tagged(ref, ref.hash_value)}{suffix}"]
        else:
            names = sorted(self.folder.glob(f"{ref.id}.{'[0-9a-f]' * 16}{suffix}"))
        for path in names:
            if path.exists() and (suffix or not ref.size or path.stat().st_size == ref.size):
                return path
        return None

    def _download(self, ref: ImageRef) -> Path:
        started = time.monotonic()
        part, converted = (self.folder / f"{ref.id}{kind}{PART}" for kind in ("", ".qcow2"))
        try:
            name = tagged(ref, receive(ref, part, self._fetch, self._make_room))
            whole = part
            if ref.disk_format in CONVERTED:
                self._make_room(part.stat().st_blocks * 512)
                convert(part, ref.disk_format, converted, self._free() - self.min_free)
                name, whole = f"{name}.qcow2", converted
            whole.chmod(0o444)
            path = whole.rename(self.folder / name)
        finally:
            part.unlink(missing_ok=True)
            converted.unlink(missing_ok=True)
        taken = time.monotonic() - started
        log.info("image %s: %d MB came to this host in %.1f s", ref.id, path.stat().st_size / 1e6, taken)
        return path


def check_ref(ref: ImageRef) -> None:
    """Raises ValueError for an id or a hash of which no safe file name can be made, GuestFailed for an unknown hash."""
    if not IMAGE_ID.fullmatch(ref.id):
        raise ValueError(f"image {ref.id!r} has no valid id")
    if ref.hash_algorithm:
        digits = hash_of(ref.hash_algorithm).digest_size * 2
        if not re.fullmatch(f"[0-9a-fA-F]{{{digits}}}", ref.hash_value):
            raise ValueError(f"image {ref.id} has no valid {ref.hash_algorithm}")


def tagged(ref: ImageRef, digest: str) -> str:
    return f"{ref.id}.{digest[:16].lower()}"


def convert(source: Path, source_format: str, target: Path, most: int) -> None:
    """Into a qcow2 of `most` bytes, durably. `source` has passed the inspector."""
    try:
        limits = replace(qemu_img.COPY, file_bytes=max(most, 0))
        qemu_img.convert(source, source_format, target, "qcow2", limits=limits)
    except qemu_img.QemuImgFailed as error:
        if any(os.strerror(number) in str(error) for number in NO_ROOM):
            raise no_room(str(error)) from None
        raise GuestFailed("The image could not be converted to a format that guests start from.", str(error)) from None
    with target.open("rb") as file:
        os.fsync(file.fileno())
