"""Bootable PC disk images, written as plain files: no root, no mount, no loop device.

The disk has an MBR, a FAT partition with SYSLINUX, and an ext4 root. The root is partition 1, as guests expect, but lies
last, so that it can grow with the disk.
"""

import os
from collections.abc import Mapping
from pathlib import Path

from pileus.image.recipes import mbr
from pileus.image.recipes.mbr import SECTOR
from pileus.image.recipes.tool import ToolError, run
from pileus.image.recipes.tree import Tree, debugfs_script

PACKAGES = ("dosfstools", "e2fsprogs", "mtools", "qemu-utils", "syslinux", "syslinux-common")
MIB = 1 << 20
_MBR = Path("/usr/lib/syslinux/mbr/mbr.bin")
_EPOCH = "1672531200"  # one fixed date for all files: 2023-01-01
_UUID = "7069636f-0000-4000-8000-000000000001"


def fat(image: Path, files: Mapping[str, Path], size: int) -> None:
    """Write a FAT file system of `size` bytes with `files` (name → source) in its root, bootable by SYSLINUX."""
    _blank(image, size)
    _run("mkfs.vfat", "-i", "7069636f", "--invariant", "-n", "BOOT", str(image))
    for name, source in files.items():
        _run("mcopy", "-i", str(image), str(source), f"::{name}")
    _run("syslinux", "--install", str(image))


def ext4(image: Path, tree: Tree, size: int) -> None:
    """Write an ext4 file system of `size` bytes that holds `tree`; it may be grown in place a thousandfold."""
    _blank(image, size)
    options = f"hash_seed={_UUID},lazy_itable_init=0,lazy_journal_init=0"
    layout = ("-b", "4096", "-i", "16384", "-m", "0", "-J", "size=4", "-O", "^metadata_csum,^64bit")
    _run("mke2fs", "-q", "-F", "-t", "ext4", *layout, "-L", "root", "-U", _UUID, "-E", options, str(image))
    script = image.with_suffix(".debugfs")
    script.write_text(debugfs_script(tree))
    said = _run("debugfs", "-w", "-f", str(script), str(image))
    # debugfs exits with 0 whatever happens: any line but its echo and its inode numbers is an error.
    errors = [line for line in said.splitlines() if line and not line.startswith(("debugfs", "Allocated inode:"))]
    if errors:
        raise ToolError(f"debugfs: {errors[0]}")
    _run("e2fsck", "-f", "-n", str(image))


def join(out: Path, boot: Path, root: Path) -> None:
    """Lay MBR, `boot` and `root` file systems out on one disk, as qcow2 at `out`.

    `root` is compressed. `boot` is not: a BIOS reads a kernel in small pieces, and qemu would inflate a whole cluster for
    each of them, which costs a second of every boot.
    """
    start = MIB // SECTOR
    boot_sectors, root_sectors = boot.stat().st_size // SECTOR, root.stat().st_size // SECTOR
    first = mbr.Partition(mbr.LINUX, start + boot_sectors, root_sectors)
    second = mbr.Partition(mbr.FAT, start, boot_sectors, bootable=True)
    raw = out.with_suffix(".raw")
    _blank(raw, (start + boot_sectors + root_sectors) * SECTOR)
    with raw.open("r+b") as disk:
        disk.write(mbr.sector(_MBR.read_bytes(), b"pico", first, second))
        disk.seek((start + boot_sectors) * SECTOR)
        disk.write(root.read_bytes())
    _run("qemu-img", "convert", "-f", "raw", "-O", "qcow2", "-c", str(raw), str(out))
    # qemu-io splits its commands at blanks, which a folder's name may hold: name the file from within its folder.
    write = f"write -q -s {boot.name} {start * SECTOR} {boot_sectors * SECTOR}"
    _run("qemu-io", "-f", "qcow2", "-c", write, str(out.resolve()), folder=boot.parent)


def _blank(image: Path, size: int) -> None:
    image.write_bytes(b"")
    os.truncate(image, size)


def _run(*command: str, folder: Path | None = None) -> str:
    return run(*command, folder=folder, settings={"E2FSPROGS_FAKE_TIME": _EPOCH, "SOURCE_DATE_EPOCH": _EPOCH})
