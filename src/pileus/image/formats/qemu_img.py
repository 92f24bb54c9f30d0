"""The only place that starts qemu-img (a test holds the rest of the source to that).

Every call names the formats of all files, so nothing is ever guessed from bytes that a guest may have written, and
runs under limits of memory and processor time. Calls block: run them in a thread where that matters. Formats are the
image API's disk formats. Inspect an image that came from outside before any call, `info` included.
"""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import msgspec

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


@dataclass(frozen=True)
class Limits:
    """What one call may take: address space in bytes, processor time and elapsed time in seconds."""

    address_space_bytes: int = 2 * 1024**3
    cpu_seconds: int = 30
    timeout_seconds: float = 120


COPY = Limits(cpu_seconds=1800, timeout_seconds=7200)
"""For calls that read and write whole disks: the time grows with the disk, the memory does not."""


class Info(msgspec.Struct, frozen=True):
    """qemu-img's own view of an image; sizes in bytes."""

    virtual_size: int = msgspec.field(name="virtual-size")
    actual_size: int = msgspec.field(name="actual-size")
    format: str
    backing_filename: str | None = msgspec.field(name="backing-filename", default=None)
    backing_format: str | None = msgspec.field(name="backing-filename-format", default=None)


def info(path: Path, format: str, *, in_use: bool = False, limits: Limits = Limits()) -> Info:
    """Read an image's header; `in_use` also reads one that a running guest holds. Raises `QemuImgFailed`."""
    share = ["--force-share"] if in_use else []
    output = _run(["info", "--output=json", *share, "-f", _driver(format), _name(path)], limits)
    try:
        return msgspec.json.decode(output, type=Info)
    except msgspec.DecodeError as error:
        raise QemuImgFailed(f"qemu-img info gave no JSON that is understood: {error}") from error


def create(path: Path, format: str, size_bytes: int, *, limits: Limits = Limits()) -> None:
    """Make an empty disk. Raises `QemuImgFailed`."""
    _run(["create", "-q", "-f", _driver(format), _name(path), str(size_bytes)], limits)


def create_overlay(
    path: Path, backing: Path, backing_format: str, size_bytes: int, *, limits: Limits = Limits()
) -> None:
    """Make a qcow2 disk at `path` that holds only what differs from `backing`. Raises `QemuImgFailed`."""
    formats = ["-f", "qcow2", "-F", _driver(backing_format)]
    _run(["create", "-q", *formats, "-b", _name(backing), _name(path), str(size_bytes)], limits)


def convert(
    source: Path, source_format: str, target: Path, target_format: str, *, compress: bool = False, limits: Limits = COPY
) -> None:
    """Copy a whole disk into another format; the target has no backing file. Raises `QemuImgFailed`."""
    options = ["-c"] if compress else []
    formats = ["-f", _driver(source_format), "-O", _driver(target_format)]
    _run(["convert", "-q", *options, *formats, _name(source), _name(target)], limits)


def resize(path: Path, format: str, size_bytes: int, *, shrink: bool = False, limits: Limits = Limits()) -> None:
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


def _run(arguments: list[str], limits: Limits) -> bytes:
    # prlimit sets the limits and becomes qemu-img; a preexec_fn would run Python in a fork of a threaded process.
    command = [
        "prlimit",
        f"--as={limits.address_space_bytes}",
        f"--cpu={limits.cpu_seconds}",
        "--",
        "qemu-img",
        *arguments,
    ]
    environment = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"}
    what = f"qemu-img {arguments[0]}"
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            timeout=limits.timeout_seconds,
            env=environment,
        )
    except subprocess.TimeoutExpired as error:
        raise QemuImgFailed(f"{what} took longer than {limits.timeout_seconds} s") from error
    except FileNotFoundError as error:
        raise QemuImgFailed(f"{what} cannot run: {error.filename} is not installed") from error
    if done.returncode != 0:
        how = f"was stopped by signal {-done.returncode}" if done.returncode < 0 else f"failed ({done.returncode})"
        stderr = done.stderr.decode(errors="replace").strip()[-STDERR_SHOWN:]
        raise QemuImgFailed(f"{what} {how}: {stderr}")
    return done.stdout
