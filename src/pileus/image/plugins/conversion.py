"""What an import makes of the data before they are stored: the disk taken out of its package, and another disk format."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

from pileus.image.containers import unpack
from pileus.image.drivers.base import StoreFull
from pileus.image.drivers.file import NO_ROOM
from pileus.image.formats import qemu_img
from pileus.image.imports.errors import ImportFailed
from pileus.image.settings import ImageSettings

CONVERTIBLE = frozenset({"raw", "qcow2", "vmdk", "vdi", "vhd", "vhdx"})  # an ISO stays one


def unpacks(settings: ImageSettings, container_format: str) -> bool:
    return container_format in settings.unpack


def converts(settings: ImageSettings, disk_format: str, container_format: str) -> bool:
    bare = container_format == "bare" or unpacks(settings, container_format)
    return bool(settings.convert_to) and bare and disk_format in CONVERTIBLE and disk_format != settings.convert_to


def take_out(
    settings: ImageSettings,
    source: Path,
    container_format: str,
    disk_format: str,
    target: Path,
    told: Callable[[int], None],
) -> int | None:
    """The disk's virtual size in bytes, where it says so. `told` is told how much was read.

    Raises FormatRefused, StoreFull, OSError.
    """
    most = settings.max_converted
    try:
        return unpack(source, container_format, disk_format, target, most=most, progress=told).verdict.virtual_size
    except OSError as error:
        if error.errno in NO_ROOM:
            raise StoreFull(str(error)) from error
        raise


def convert(
    settings: ImageSettings,
    source: Path,
    disk_format: str,
    virtual_size: int | None,
    target: Path,
    told: Callable[[float], None],
    stopped: Callable[[], bool],
) -> None:
    """`told` is told the percentage that is done. Raises ImportFailed."""
    if virtual_size is None or virtual_size > settings.max_converted:
        raise ImportFailed(
            f"The image's disk of {virtual_size} bytes is larger than the {settings.max_converted} that this cloud converts."
        )
    room = virtual_size + virtual_size // 10 + (64 << 20)  # for the format's own tables
    limits = dataclasses.replace(qemu_img.COPY, file_bytes=room)
    try:
        qemu_img.convert(source, disk_format, target, settings.convert_to, progress=told, stop=stopped, limits=limits)
    except qemu_img.QemuImgFailed as error:
        target.unlink(missing_ok=True)
        raise ImportFailed(f"The image could not be converted from {disk_format} to {settings.convert_to}.") from error
