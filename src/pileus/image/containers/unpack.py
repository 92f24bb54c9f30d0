"""Take the disk out of its container, for plugins of the import: of a file that is staged here."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, NamedTuple

from pileus.image.containers.compressed import Compressed
from pileus.image.containers.examiner import Examiner, Out
from pileus.image.containers.ova import Ova
from pileus.image.formats import FormatRefused, Verdict

UNPACKED = frozenset({"compressed", "ova"})
"""Container formats that can be unpacked; the disk is `bare` then."""
BLOCK = 1024 * 1024
ZEROS = bytes(BLOCK)


class Unpacked(NamedTuple):
    """A disk in a file of its own, and what the inspector says of it."""

    path: Path
    verdict: Verdict


def unpack(
    source: Path,
    container_format: str,
    disk_format: str,
    target: Path,
    *,
    most: int,
    progress: Callable[[int], None] | None = None,
) -> Unpacked:
    """Write the disk inside `source` to the new file `target`, at most `most` bytes; checked as `examiner` checks it.

    `progress` is told how many bytes of the source have been read; what it raises stops the work. Raises `FormatRefused`,
    OSError; `target` is gone then. It blocks: run it in a thread. Runs of zeros become holes.
    """
    with target.open("xb") as file:
        try:
            writer = _Writer(file, most)
            examiner = _examiner(container_format, disk_format, most, writer.write)
            read = 0
            with source.open("rb") as image:
                while block := image.read(BLOCK):
                    examiner.feed(block)
                    read += len(block)
                    if progress is not None:
                        progress(read)
            verdict = examiner.finish()
            writer.finish()
        except BaseException:
            target.unlink(missing_ok=True)
            raise
    return Unpacked(target, verdict)


def _examiner(container_format: str, disk_format: str, most: int, out: Out) -> Examiner:
    if container_format == "compressed":
        return Compressed(disk_format, most, out)
    if container_format == "ova":
        return Ova(disk_format, out)
    raise ValueError(f"images of the container format '{container_format}' cannot be unpacked")


class _Writer:
    def __init__(self, file: BinaryIO, most: int) -> None:
        self._file = file
        self._most = most
        self._size = 0

    def write(self, block: bytes) -> None:
        self._size += len(block)
        if self._size > self._most:
            raise FormatRefused(f"The disk inside the image has more than the {self._most} bytes that it may have.")
        if len(block) <= BLOCK and block == ZEROS[: len(block)]:
            self._file.seek(len(block), os.SEEK_CUR)
        else:
            self._file.write(block)

    def finish(self) -> None:
        self._file.truncate(self._size)
        self._file.flush()
        os.fsync(self._file.fileno())
