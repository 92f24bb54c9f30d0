"""How large a root disk becomes, for each format that an image may have."""

import shutil
from pathlib import Path

import pytest

from pileus.compute.drivers.base import GuestFailed, ImageRef
from pileus.compute.drivers.libvirt.disks import root_size, virtual_size
from pileus.image.formats import qemu_img

MIB = 1024**2
SIZE = 64 * MIB
NEEDS_QEMU_IMG = pytest.mark.skipif(shutil.which("qemu-img") is None, reason="needs qemu-img")


@NEEDS_QEMU_IMG
@pytest.mark.parametrize("disk_format", ["raw", "qcow2", "vmdk", "vdi", "vhdx"])
def test_the_size_a_guest_sees(tmp_path: Path, disk_format: str) -> None:
    base = tmp_path / "base"
    qemu_img.create(base, disk_format, SIZE)
    assert virtual_size(base, disk_format) == SIZE


@pytest.mark.parametrize("content", [b"", b"QFI\xfb", b"KDMV" + bytes(60)])
def test_what_says_qcow2_and_is_not_is_refused(tmp_path: Path, content: bytes) -> None:
    base = tmp_path / "base"
    base.write_bytes(content)
    with pytest.raises(GuestFailed, match="not the qcow2") as failed:
        virtual_size(base, "qcow2")
    assert failed.value.permanent
    assert str(base) not in failed.value.message


def test_a_format_that_no_one_can_boot_is_refused(tmp_path: Path) -> None:
    with pytest.raises(GuestFailed, match="cannot boot images of format docker") as failed:
        virtual_size(tmp_path / "base", "docker")
    assert failed.value.permanent


def test_the_flavor_s_size_wins_unless_it_is_none_or_too_small(tmp_path: Path) -> None:
    base = tmp_path / "base"
    with base.open("wb") as file:
        file.truncate(1024 * MIB + 512)
    image = ImageRef("0f4a8a3c-9c0b-4a3e-8a55-1f1f6c1d2b3a", "raw", 1, "0" * 128)
    assert root_size(image, 3, base) == 3 * 1024 * MIB
    assert root_size(image, 0, base) == 1024 * MIB + 512
    with pytest.raises(GuestFailed, match="1 GiB is smaller than the image's 2 GiB"):
        root_size(image, 1, base)
