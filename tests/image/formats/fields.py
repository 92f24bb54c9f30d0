"""Sound disks with the places of their headers' fields, so that a fuzzer can change what matters."""

import functools
import struct
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Literal, NamedTuple

from tests.image.formats import disks
from tests.image.formats.disks import CLUSTER, KIB, patched

from pileus.image.formats.crc32c import crc32c

Order = Literal["little", "big"]


class Field(NamedTuple):
    """An integer of `length` bytes at `at`."""

    at: int
    length: int


class Sample(NamedTuple):
    """`data` is a sound disk; `reseal` makes checksums right again after a change."""

    format: str
    data: bytes
    order: Order
    fields: tuple[Field, ...]
    reseal: Callable[[bytes], bytes] = lambda data: data

    def changed(self, changes: list[tuple[Field, int]]) -> bytes:
        """The disk with other values in some fields, its checksums right."""
        data = bytearray(self.data)
        for (at, length), value in changes:
            data[at : at + length] = (value % (1 << 8 * length)).to_bytes(length, self.order)
        return self.reseal(bytes(data))

    def value(self, field: Field) -> int:
        return int.from_bytes(self.data[field.at : field.at + field.length], self.order)


def _fields(start: int, layout: str) -> tuple[Field, ...]:
    """Fields one behind the other: a digit is a field's length, a point skips a byte."""
    found = []
    for letter in layout:
        length = 1 if letter == "." else int(letter)
        if letter != ".":
            found.append(Field(start, length))
        start += length
    return tuple(found)


QCOW2 = _fields(4, "48448448844888844" + "44448")
QCOW2_TABLES = (Field(CLUSTER, 8), Field(2 * CLUSTER, 2), Field(2 * CLUSTER + 6, 2), Field(3 * CLUSTER, 8))
SNAPSHOT = struct.pack(">QIHHIIQII", 3 * CLUSTER, 1, 1, 1, 0, 0, 0, 0, 16) + bytes(16) + b"1n"
BITMAPS = struct.pack(">IIIIQQII", 0x23852875, 24, 1, 0, 32, 4 * CLUSTER, 0, 0)
VMDK = _fields(4, "448888488811111112")
VHD_FOOTER = _fields(8, "448444488211444")
VHD_HEADER = (*_fields(512 + 8, "8844444"), Field(512 + 576, 4))
VDI = _fields(0x44, "4444") + _fields(0x154, "4444444") + _fields(0x16C, "484444") + (Field(0x1A8, 8), Field(0x1B8, 8))
VDI_MAP = (Field(512, 4), Field(516, 4))
PLOOP = _fields(16, "444448444") + _fields(64, "44")
LUKS = (Field(6, 2), Field(104, 4), Field(108, 4), *_fields(208, "44"), *_fields(248, "44"))
ISO = (Field(32768, 1), Field(32768 + 80, 4), Field(32768 + 128, 2), Field(34816, 1))


def _resealed_vhd(data: bytes) -> bytes:
    """The footer is sealed, and stands at the end as at the start."""
    footer = disks.with_sum(data[:512], 64)
    return footer + disks.with_sum(data[512:1536], 36) + data[1536:-512] + footer


def _resealed_fixed_vhd(data: bytes) -> bytes:
    return data[:-512] + disks.with_sum(data[-512:], 64)


def _resealed_vhdx(data: bytes) -> bytes:
    sealed = bytearray(data)
    for start, length in ((64 * KIB, 4 * KIB), (128 * KIB, 4 * KIB), (192 * KIB, 64 * KIB), (256 * KIB, 64 * KIB)):
        sealed[start + 4 : start + 8] = bytes(4)
        sealed[start + 4 : start + 8] = struct.pack("<I", crc32c(bytes(sealed[start : start + length])))
    return bytes(sealed)


def _twin_regions(data: bytes) -> bytes:
    """Changes are made in the first region table; the second is its copy."""
    return _resealed_vhdx(patched(data, 256 * KIB, data[192 * KIB : 256 * KIB]))


def _vhdx_fields(data: bytes) -> tuple[Field, ...]:
    header = _fields(64 * KIB + 8, "8") + _fields(64 * KIB + 48, "88" + "2248")
    second = _fields(128 * KIB + 8, "8") + _fields(128 * KIB + 48, "88" + "2248")
    regions = _fields(192 * KIB + 8, "4") + _fields(192 * KIB + 32, "844") + _fields(192 * KIB + 64, "844")
    metadata = data.index(b"metadata", 1024 * KIB)
    entries = tuple(field for n in range(5) for field in _fields(metadata + 48 + 32 * n, "444"))
    return header + second + regions + _fields(metadata + 10, "2") + entries + _fields(metadata + 64 * KIB, "4488444")


def made(driver: str, *options: str) -> bytes:
    """What qemu-img writes."""
    with tempfile.TemporaryDirectory() as folder:
        return disks.qemu_image(Path(folder), driver, *options)


@functools.cache
def samples() -> dict[str, Sample]:
    """By name."""
    footer_at = len(disks.fixed_vhd(disks.gpt())) - 512
    fixed = tuple(Field(footer_at + field.at, field.length) for field in VHD_FOOTER)
    vhdx = made("vhdx", "-o", "block_size=1M,log_size=1M")
    with_snapshot = patched(disks.qcow2(snapshots=1, snapshots_at=4 * CLUSTER), 4 * CLUSTER, SNAPSHOT)
    with_bitmap = patched(disks.qcow2(autoclear=1, extensions=BITMAPS), 4 * CLUSTER, bytes(CLUSTER))
    return {
        "qcow2": Sample("qcow2", disks.qcow2(), "big", QCOW2 + QCOW2_TABLES),
        "qcow2 v2": Sample("qcow2", disks.qcow2(version=2), "big", QCOW2[:12] + QCOW2_TABLES),
        "qcow2 of qemu": Sample("qcow2", made("qcow2"), "big", QCOW2),
        "qcow2 with wide L2": Sample("qcow2", made("qcow2", "-o", "extended_l2=on"), "big", QCOW2),
        "qcow2 with a snapshot": Sample(
            "qcow2",
            with_snapshot.ljust(5 * CLUSTER, b"\0"),
            "big",
            (QCOW2[9], QCOW2[10], *_fields(4 * CLUSTER, "84224484488")),
        ),
        "qcow2 with bitmaps": Sample("qcow2", with_bitmap, "big", QCOW2[13:15] + _fields(104, "444488")),
        "vmdk": Sample("vmdk", disks.vmdk(), "little", VMDK),
        "vmdk streamed": Sample("vmdk", disks.streamed_vmdk(), "little", VMDK),
        "vmdk of qemu": Sample("vmdk", made("vmdk"), "little", VMDK),
        "vmdk streamed by qemu": Sample("vmdk", made("vmdk", "-o", "subformat=streamOptimized"), "little", VMDK),
        "vdi": Sample("vdi", disks.vdi(), "little", VDI + VDI_MAP),
        "vdi of qemu": Sample("vdi", made("vdi"), "little", VDI + VDI_MAP),
        "vhd": Sample("vhd", disks.vhd(), "big", VHD_FOOTER + VHD_HEADER, _resealed_vhd),
        "vhd of qemu": Sample("vhd", made("vpc"), "big", VHD_FOOTER + VHD_HEADER, _resealed_vhd),
        "vhd fixed": Sample("vhd", disks.fixed_vhd(disks.gpt()), "big", fixed, _resealed_fixed_vhd),
        "vhdx": Sample("vhdx", vhdx, "little", _vhdx_fields(vhdx), _twin_regions),
        "ploop": Sample("ploop", made("parallels"), "little", PLOOP),
        "luks": Sample("luks", disks.luks1(), "big", LUKS),
        "iso": Sample("iso", disks.iso(start=disks.gpt()[:4096]), "little", ISO),
    }
