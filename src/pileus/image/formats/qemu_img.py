"""The only place that starts qemu-img (a test holds the rest of the source to that).

Every call names the formats of all files, so nothing is ever guessed from bytes that a guest may have written, and
runs under limits of memory and processor time. Calls block: run them in a thread where that matters. Formats are the
image API's disk formats. Inspect an image that came from outside before any call, `info` included.
"""

import os
import re
from collections.abc import Callable
from pathlib import Path

import msgspec

from pileus.image.formats import limited
from pileus.image.formats.limited import Limits

__all__ = [
    "COPY",
    "DRIVERS",
    "Info",
    "Limits",
    "QemuImgFailed",
    "QemuImgStopped",
    "convert",
    "create",
    "create_overlay",
]
__all__ += ["info", "resize"]

# disk format → qemu's name for it
DRIVERS = {
    "raw": "raw",
    "ami": "raw",
    "ari": "raw",
    "aki": "raw",
    "iso": "raw",
    "qcow2": "qcow2",
    "vmdk": "vmdk",
    "vdi": "vdi",
    "vhd": "vpc",
    "vhdx": "vhdx",
    "ploop": "parallels",
}
STDERR_SHOWN = 2000


class QemuImgFailed(Exception):
    """qemu-img refused, was stopped by a limit or took too long; the message ends with what it wrote to stderr."""


class QemuImgStopped(QemuImgFailed):
    """The caller did not want the result any more."""


QUICK = Limits()
COPY = Limits(cpu_seconds=1800, timeout_seconds=7200)
"""For calls that read and write whole disks: the time grows with the disk, the memory does not."""


class _Extent(msgspec.Struct, frozen=True):
    filename: str


class _Data(msgspec.Struct, frozen=True):
    data_file: str | None = msgspec.field(name="data-file", default=None)
    extents: list[_Extent] = []


class _Specific(msgspec.Struct, frozen=True):
    data: _Data = _Data()


class Info(msgspec.Struct, frozen=True):
    """qemu-img's own view of an image; sizes in bytes."""

    virtual_size: int = msgspec.field(name="virtual-size")
    actual_size: int = msgspec.field(name="actual-size")
    format: str
    backing_filename: str | None = msgspec.field(name="backing-filename", default=None)
    backing_format: str | None = msgspec.field(name="backing-filename-format", default=None)
    filename: str = ""
    specific: _Specific = msgspec.field(name="format-specific", default=_Specific())

    @property
    def other_files(self) -> list[str]:
        """Files beside its own that opening the image would open: none for an image that came from outside."""
        names = [self.backing_filename, self.specific.data.data_file]
        names += [extent.filename for extent in self.specific.data.extents]
        return [name for name in names if name is not None and name != self.filename]


def info(path: Path, format: str, *, in_use: bool = False, limits: Limits = QUICK) -> Info:
    """Read an image's header; `in_use` also reads one that a running guest holds. Raises `QemuImgFailed`."""
    share = ["--force-share"] if in_use else []
    output = _run(["info", "--output=json", *share, "-f", _driver(format), _name(path)], limits)
    try:
        return msgspec.json.decode(output, type=Info)
    except msgspec.DecodeError as error:
        raise QemuImgFailed(f"qemu-img info gave no JSON that is understood: {error}") from error


def create(path: Path, format: str, size_bytes: int, *, limits: Limits = QUICK) -> None:
    """Make an empty disk. Raises `QemuImgFailed`."""
    _run(["create", "-q", "-f", _driver(format), _name(path), str(size_bytes)], limits)


def create_overlay(path: Path, backing: Path, backing_format: str, size_bytes: int, *, limits: Limits = QUICK) -> None:
    """Make a qcow2 disk at `path` that holds only what differs from `backing`. Raises `QemuImgFailed`."""
    formats = ["-f", "qcow2", "-F", _driver(backing_format)]
    _run(["create", "-q", *formats, "-b", _name(backing), _name(path), str(size_bytes)], limits)


def convert(
    source: Path,
    source_format: str,
    target: Path,
    target_format: str,
    *,
    compress: bool = False,
    progress: Callable[[float], None] | None = None,
    stop: Callable[[], bool] | None = None,
    limits: Limits = COPY,
) -> None:
    """Copy a whole disk into another format; the target has no backing file.

    `progress` is told the percentage that is done; `stop` is asked several times a second whether to give up. What was
    written of the target by then is the caller's to remove. Raises `QemuImgFailed`, `QemuImgStopped`.
    """
    options = ["-c"] if compress else []
    options.append("-q" if progress is None else "-p")
    formats = ["-f", _driver(source_format), "-O", _driver(target_format)]
    hear = None if progress is None else _Percentage(progress).hear
    _run(["convert", *options, *formats, _name(source), _name(target)], limits, hear=hear, stop=stop)


def resize(path: Path, format: str, size_bytes: int, *, shrink: bool = False, limits: Limits = QUICK) -> None:
    """Set a disk's size; `shrink` allows to lose what is behind it. Raises `QemuImgFailed`."""
    options = ["--shrink"] if shrink else []
    _run(["resize", "-q", *options, "-f", _driver(format), _name(path), str(size_bytes)], limits)


def _driver(format: str) -> str:
    try:
        return DRIVERS[format]
    except KeyError:
        raise ValueError(f"'{format}' is not a disk format that can be opened; known: {', '.join(DRIVERS)}") from None


def _name(path: Path) -> str:
    # An absolute name is never taken for an option, a URL or a "json:" description.
    return os.path.abspath(path)


class _Percentage:
    """Finds `(12.50/100%)` in what the program prints, however it is cut into pieces."""

    FORM = re.compile(rb"\(([0-9]{1,3}\.[0-9]{1,4})/100%\)")

    def __init__(self, told: Callable[[float], None]) -> None:
        self._told = told
        self._rest = b""

    def hear(self, piece: bytes) -> None:
        text = self._rest + piece
        found = self.FORM.findall(text)
        if found:
            self._told(min(float(found[-1]), 100.0))
        self._rest = text[-20:].rpartition(b")")[2]


def _run(
    arguments: list[str],
    limits: Limits,
    *,
    hear: Callable[[bytes], None] | None = None,
    stop: Callable[[], bool] | None = None,
) -> bytes:
    what = f"qemu-img {arguments[0]}"
    try:
        ended = limited.run(["qemu-img", *arguments], limits, hear=hear, stop=stop)
    except limited.TookTooLong as error:
        raise QemuImgFailed(f"{what} took longer than {limits.timeout_seconds} s") from error
    except limited.Stopped as error:
        raise QemuImgStopped(f"{what} was stopped") from error
    except FileNotFoundError as error:
        raise QemuImgFailed(f"{what} cannot run: {error.filename} is not installed") from error
    if ended.status != 0:
        how = f"was stopped by signal {-ended.status}" if ended.status < 0 else f"failed ({ended.status})"
        stderr = ended.stderr.decode(errors="replace").strip()[-STDERR_SHOWN:]
        raise QemuImgFailed(f"{what} {how}: {stderr}")
    return ended.stdout
