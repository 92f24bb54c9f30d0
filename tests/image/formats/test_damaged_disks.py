"""Disks with one field that makes no sense are refused for that field."""

import struct

import pytest
from tests.image.formats import disks
from tests.image.formats.disks import MIB, inspect, patched

from pileus.image.formats import FormatRefused, check


def u16(value: int) -> bytes:
    return struct.pack("<H", value)


def u32(value: int) -> bytes:
    return struct.pack("<I", value)


def u64(value: int) -> bytes:
    return struct.pack("<Q", value)


def luks2(metadata: bytes, header_bytes: int = 16384) -> bytes:
    start = b"LUKS\xba\xbe\0\2" + header_bytes.to_bytes(8, "big")
    return patched(start, 4096, metadata).ljust(MIB, b"\0")


def ploop(version: int = 2, tracks: int = 2048, entries: int = 2) -> bytes:
    return struct.pack("<16s5IQ", b"WithouFreSpacExt", version, 16, 100, tracks, entries, 4096).ljust(512, b"\0")


def with_header_at(place: int) -> bytes:
    """A VHD whose footer, sealed, sends readers elsewhere for the header."""
    footer = disks.with_sum(patched(disks.vhd()[:512], 16, struct.pack(">Q", place)), 64)
    return footer + disks.vhd()[512:-512] + footer


# disk, offset, new bytes there, reason
DAMAGED = {
    "qcow2 compression": (disks.qcow2(incompatible=8, length=112), 104, b"\5", "compression is unknown"),
    "qcow2 compression without its feature": (disks.qcow2(length=112), 104, b"\1", "not announced"),
    "qcow2 feature without its compression": (disks.qcow2(incompatible=8), 0, b"", "not announced"),
    "qcow2 snapshots askew": (disks.qcow2(snapshots_at=8), 0, b"", "snapshot table is out of place"),
    "vmdk spare directory": (disks.vmdk(), 48, u64(1 << 40), "end of its spare grain directory"),
    "vmdk overhead": (disks.vmdk(), 64, u64(1 << 40), "before its first grain"),
    "vmdk version": (disks.vmdk(), 4, u32(9), "version 9"),
    "vmdk capacity": (disks.vmdk(), 12, u64(1 << 41), "absurd size"),
    "vmdk line ends": (disks.vmdk(), 73, b"\r", "copy in text mode"),
    "vmdk compression": (disks.vmdk(), 77, u16(7), "compression 7"),
    "vmdk directory": (disks.vmdk(), 56, u64(0), "no grain directory"),
    "vdi version": (disks.vdi(), 0x44, u32(1), "version 0x1 "),
    "vdi map": (disks.vdi(), 0x154, u32(8), "block map is out of place"),
    "vdi map over data": (disks.vdi(), 0x154, u32(1020), "block map is out of place"),
    "vdi size": (disks.vdi(), 0x170, u64(2 * MIB - 1), "not a whole number of sectors"),
    "vdi map askew": (disks.vdi(), 0x154, u32(520), "block map or its data are out of place"),
    "vdi data askew": (disks.vdi(), 0x158, u32(1030), "block map or its data are out of place"),
    "vdi sector": (disks.vdi(), 0x168, u32(4096), "sector or block size"),
    "vdi block": (disks.vdi(), 0x178, u32(1), "sector or block size"),
    "vdi disk size": (disks.vdi(), 0x170, u64(3 * MIB), "block map is too short"),
    "vdi blocks": (disks.vdi(allocated=3), 0, b"", "more blocks than the disk has"),
    "vhd copy": (disks.vhd(), 100, b"x", "differs from the copy"),
    "vhd header": (disks.vhd(), 512, b"x", "dynamic disk header is missing"),
    "vhd header checksum": (disks.vhd(), 800, b"x", "header's checksum is wrong"),
    "vhd header version": (disks.vhd(), 512 + 24, b"\7", "version 0x7010000"),
    "vhd entries": (disks.vhd(), 512 + 28, bytes(4), "block table is too short"),
    "vhd block": (disks.vhd(), 512 + 32, struct.pack(">I", 3 * MIB), "block size 3145728"),
    "vhd kind": (disks.vhd(kind=2), 0, b"", "disk type 2 does not fit"),
    "fixed vhd kind": (bytes(512) + disks.vhd_footer(3, 512, 512), 0, b"", "disk type 3 does not fit"),
    "vhd header elsewhere": (with_header_at(1 << 20), 0, b"", "dynamic disk header is out of place"),
    "vhd of an absurd size": (bytes(512) + disks.vhd_footer(2, 1 << 61, 0), 0, b"", "its size is absurd"),
    "luks key length": (disks.luks1(), 108, struct.pack(">I", 2**20), "master key length of 1048576"),
    "luks key slot": (disks.luks1(), 208 + 48, b"oops", "key slot 1 is damaged"),
    "luks key material": (disks.luks1(payload=8), 208, struct.pack(">I", 0xAC71F3), "key slot 0 overlaps"),
    "luks payload": (disks.luks1(payload=0), 0, b"", "names no place for its data"),
    "luks2 header length": (luks2(b"{}", header_bytes=2**60), 0, b"", "header length of"),
    "luks2 metadata": (luks2(b"hello"), 0, b"", "no LUKS2 metadata"),
    "luks2 no segment": (luks2(b'{"segments":{}}'), 0, b"", "no data segment"),
    "luks2 overlap": (luks2(b'{"segments":{"0":{"offset":"16384"}}}'), 0, b"", "data overlaps its header"),
    "ploop version": (ploop(version=3), 0, b"", "version 3"),
    "ploop entries": (ploop(entries=1), 0, b"", "block table is too short"),
    "ploop cut off": (ploop(entries=200), 0, b"", "before the end of its block table"),
    "iso size": (disks.iso(), 16 * 2048 + 80, bytes(4), "no primary volume descriptor"),
    "iso end": (disks.iso(), 17 * 2048, (b"\2CD001".ljust(2048, b"\0")) * 63, "have no end"),
}


@pytest.mark.parametrize(("disk", "at", "new", "reason"), DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_disk_is_refused(disk: bytes, at: int, new: bytes, reason: str) -> None:
    verdict = inspect(patched(disk, at, new))
    with pytest.raises(FormatRefused, match=reason):
        check(verdict, verdict.format)


CUT = {
    "luks": (disks.luks1(), 500),
    "luks2": (luks2(b"{}"), 4000),
    "vdi": (disks.vdi(), 511),
    "ploop": (ploop(), 40),
    "qcow2": (disks.qcow2(), 100),
    "vmdk footer": (disks.streamed_vmdk(), 600),
}


@pytest.mark.parametrize(("disk", "length"), CUT.values(), ids=CUT)
def test_a_header_that_was_cut_off_is_refused(disk: bytes, length: int) -> None:
    verdict = inspect(disk[:length])
    with pytest.raises(FormatRefused, match="cut off"):
        check(verdict, verdict.format)


def test_a_sound_luks2_header_is_taken() -> None:
    verdict = inspect(luks2(b'{"segments":{"0":{"offset":"32768"}}}'))
    check(verdict, "luks")
    assert verdict.virtual_size == MIB - 32768


def test_sound_ploop_is_taken() -> None:
    verdict = inspect(ploop())
    check(verdict, "ploop")
    assert verdict.virtual_size == 2 * MIB


def test_a_vhd_counts_the_larger_of_size_and_geometry() -> None:
    """A writer that readers do not know may give a geometry that makes them see a larger disk."""
    footer = patched(disks.vhd_footer(2, 512, 0), 56, struct.pack(">HBB", 1000, 16, 63))
    assert inspect(bytes(512) + footer).virtual_size == 1000 * 16 * 63 * 512
