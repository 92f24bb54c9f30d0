"""GRUB on a disk that is a plain file: the two pieces that a BIOS starts are written where they belong.

Source: GNU GRUB Manual, "BIOS installation"; the boot sector as built looks for the rest in the sectors after it.
"""

import shutil
from pathlib import Path

from pileus.image.recipes import mbr
from pileus.image.recipes.mbr import SECTOR
from pileus.image.recipes.tool import ToolError, run

GUEST_PACKAGE = "grub-pc"
NO_DISK_YET = "grub-pc grub-pc/install_devices_empty boolean true"
"""For debconf: while the guest is a folder, its package finds no disk to install itself on."""

_MODULES = ("biosdisk", "part_msdos", "ext2")
_PLATFORM = "i386-pc"


def prepare(root: Path) -> None:
    """Put GRUB's modules and its core, which finds the first partition of the first disk, into the guest's /boot."""
    folder = root / "boot/grub" / _PLATFORM
    shutil.copytree(root / "usr/lib/grub" / _PLATFORM, folder, dirs_exist_ok=True)
    core = f"/boot/grub/{_PLATFORM}/core.img"
    prefix = ("-O", _PLATFORM, "-o", core, "-p", "(hd0,msdos1)/boot/grub")
    run("chroot", str(root), "grub-mkimage", *prefix, *_MODULES, seconds=60)


def install(root: Path, disk: Path, start: int, size: int) -> None:
    """Make `disk` bootable: its partition 1 is `size` bytes at `start`, with the file system of `root`. Raises ToolError."""
    folder = root / "boot/grub" / _PLATFORM
    core = (folder / "core.img").read_bytes()
    if SECTOR + len(core) > start:
        raise ToolError(f"GRUB's core of {len(core)} bytes does not fit before the partition")
    partition = mbr.Partition(mbr.LINUX, start // SECTOR, size // SECTOR, bootable=True)
    with disk.open("r+b") as file:
        file.write(mbr.sector((folder / "boot.img").read_bytes(), b"pile", partition) + core)
