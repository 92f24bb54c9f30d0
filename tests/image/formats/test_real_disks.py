"""Disks as qemu-img writes them are recognised, measured and taken."""

from pathlib import Path

import pytest
from tests.image.formats.disks import MIB, inspect, qemu_image

from pileus.image.formats import FormatRefused, check

WRITTEN = [
    ("qcow2", "qcow2", ()),
    ("qcow2", "qcow2", ("-o", "compat=0.10")),
    ("qcow2", "qcow2", ("-o", "cluster_size=512")),
    ("qcow2", "qcow2", ("-o", "cluster_size=2M,extended_l2=on")),
    ("qcow2", "qcow2", ("-c", "-o", "compression_type=zstd")),
    ("qcow2", "qcow2", ("-o", "preallocation=metadata")),
    ("qcow2", "qcow2", ("-o", "refcount_bits=1")),
    ("qcow2", "qcow2", ("-o", "refcount_bits=64,lazy_refcounts=on")),
    ("vmdk", "vmdk", ()),
    ("vmdk", "vmdk", ("-o", "subformat=streamOptimized")),
    ("vdi", "vdi", ()),
    ("vdi", "vdi", ("-o", "static=on")),
    ("vhd", "vpc", ("-o", "force_size=on")),
    ("vhd", "vpc", ("-o", "subformat=fixed,force_size=on")),
    ("vhdx", "vhdx", ()),
    ("vhdx", "vhdx", ("-o", "subformat=fixed")),
    ("ploop", "parallels", ()),
]


@pytest.mark.parametrize(("declared", "driver", "options"), WRITTEN)
def test_a_good_disk_is_taken(tmp_path: Path, declared: str, driver: str, options: tuple[str, ...]) -> None:
    verdict = inspect(qemu_image(tmp_path, driver, *options))
    check(verdict, declared)
    assert (verdict.format, verdict.virtual_size) == (declared, 4 * MIB)
    with pytest.raises(FormatRefused, match=f"declared as 'raw', but its bytes are '{declared}'"):
        check(verdict, "raw")


@pytest.mark.parametrize("driver", ["qed", "qcow"])
def test_a_format_that_the_api_does_not_know_is_not_raw(tmp_path: Path, driver: str) -> None:
    with pytest.raises(FormatRefused, match=f"bytes are '{driver}'"):
        check(inspect(qemu_image(tmp_path, driver)), "raw")


@pytest.mark.parametrize("driver", ["qcow2", "vdi", "vpc", "vhdx"])
@pytest.mark.parametrize("part", [0.01, 0.5, 0.8])
def test_a_disk_that_was_cut_off_is_refused(tmp_path: Path, driver: str, part: float) -> None:
    whole = qemu_image(tmp_path, driver)
    declared = {"vpc": "vhd"}.get(driver, driver)
    check(inspect(whole), declared)
    with pytest.raises(FormatRefused):
        check(inspect(whole[: int(len(whole) * part)]), declared)
