"""Disks are taken out of their containers as they are, or not at all."""

from pathlib import Path

import pytest
from tests.image.containers.packages import COMPRESSORS, DISK, ova
from tests.image.formats import disks
from tests.image.formats.disks import MIB

from pileus.image.containers import unpack
from pileus.image.formats import FormatRefused

RAW = (b"data" * 300_000).ljust(20 * MIB, b"\0")


@pytest.mark.parametrize("kind", COMPRESSORS)
def test_a_compressed_disk_is_unpacked(tmp_path: Path, kind: str) -> None:
    (tmp_path / "image").write_bytes(COMPRESSORS[kind](RAW))
    seen: list[int] = []
    done = unpack(tmp_path / "image", "compressed", "raw", tmp_path / "disk", most=len(RAW), progress=seen.append)
    assert done.path.read_bytes() == RAW
    assert done.verdict.virtual_size == len(RAW)
    assert done.path.stat().st_blocks * 512 < 4 * MIB
    assert seen == [(tmp_path / "image").stat().st_size]


def test_a_disk_is_taken_out_of_a_package(tmp_path: Path) -> None:
    (tmp_path / "image").write_bytes(ova())
    done = unpack(tmp_path / "image", "ova", "vmdk", tmp_path / "disk", most=MIB)
    assert done.path.read_bytes() == DISK
    assert done.verdict.format == "vmdk"


def refused(tmp_path: Path, data: bytes, container: str, disk_format: str, most: int, reason: str) -> None:
    (tmp_path / "image").write_bytes(data)
    with pytest.raises(FormatRefused, match=reason):
        unpack(tmp_path / "image", container, disk_format, tmp_path / "disk", most=most)
    assert [path.name for path in tmp_path.iterdir()] == ["image"]


def test_nothing_is_left_of_what_is_refused(tmp_path: Path) -> None:
    gzip = COMPRESSORS["gzip"]
    refused(tmp_path, gzip(RAW), "compressed", "raw", len(RAW) - 1, "more than 20971519 bytes")
    refused(tmp_path, gzip(RAW)[:-9], "compressed", "raw", len(RAW), "cut off")
    refused(tmp_path, gzip(disks.qcow2()), "compressed", "raw", MIB, "bytes are 'qcow2'")
    refused(tmp_path, ova(), "ova", "vmdk", len(DISK) - 1, "may have")
    refused(tmp_path, ova(disk=disks.vdi()), "ova", "vmdk", 8 * MIB, "bytes are 'vdi'")


def test_work_can_be_stopped(tmp_path: Path) -> None:
    (tmp_path / "image").write_bytes(COMPRESSORS["xz"](RAW))

    def stop(_read: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        unpack(tmp_path / "image", "compressed", "raw", tmp_path / "disk", most=len(RAW), progress=stop)
    assert not (tmp_path / "disk").exists()


def test_a_file_that_is_there_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "image").write_bytes(COMPRESSORS["xz"](RAW))
    (tmp_path / "disk").write_bytes(b"mine")
    with pytest.raises(FileExistsError):
        unpack(tmp_path / "image", "compressed", "raw", tmp_path / "disk", most=len(RAW))
    assert (tmp_path / "disk").read_bytes() == b"mine"


def test_what_has_no_container_is_not_unpacked(tmp_path: Path) -> None:
    (tmp_path / "image").write_bytes(RAW)
    with pytest.raises(ValueError, match="'bare' cannot be unpacked"):
        unpack(tmp_path / "image", "bare", "raw", tmp_path / "disk", most=MIB)
