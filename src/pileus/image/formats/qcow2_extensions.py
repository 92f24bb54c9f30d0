"""What stands between a qcow2 disk's header and the end of its first cluster: optional parts, each with kind and length."""

import struct
from typing import NamedTuple

from pileus.image.formats.finding import Finding

DATA_FILE_NAME = 0x44415441
ENCRYPTION_HEADER = 0x0537BE77
BITMAPS = 0x23852875
BITMAPS_VALID = 1 << 0  # among the header's autoclear bits: without it, readers ignore them
# Limits that QEMU itself sets.
BITMAP_COUNT = 65535
BITMAP_DIRECTORY_BYTES = 1024 * BITMAP_COUNT


class Place(NamedTuple):
    """A part of the file that an extension points to, in bytes."""

    name: str
    at: int
    length: int


def read_extensions(finding: Finding, data: bytes, room: int, *, encrypted: bool, bitmaps: bool) -> list[Place]:
    """They are in `data`, and end with one of kind 0 or with the `room` that the first cluster leaves."""
    at = 0
    kind = -1
    places: list[Place] = []
    has_key_place = False
    while kind != 0 and at + 8 <= len(data):
        kind, length = struct.unpack_from(">II", data, at)
        body = data[at + 8 : at + 8 + length]
        finding.require(kind != DATA_FILE_NAME, "it names an external data file")
        if kind == ENCRYPTION_HEADER and len(body) == 16:
            has_key_place = True
            places.append(Place("encryption header", *struct.unpack(">QQ", body)))
        if kind == BITMAPS and bitmaps:
            places += _bitmaps(finding, body)
        at += 8 + (length + 7) // 8 * 8
    finding.require(at <= len(data), "its header extensions are longer than their place")
    finding.require(kind == 0 or at == room, "its header extensions have no end")
    finding.require(not encrypted or has_key_place, "it is encrypted but has no encryption header")
    return places


def _bitmaps(finding: Finding, body: bytes) -> list[Place]:
    if len(body) != 24:
        finding.faults.append("its bitmaps extension has a wrong length")
        return []
    count, reserved, length, at = struct.unpack(">IIQQ", body)
    finding.require(0 < count <= BITMAP_COUNT and reserved == 0, "it has an absurd number of bitmaps")
    finding.require(0 < length <= BITMAP_DIRECTORY_BYTES, "its bitmap directory has an absurd length")
    return [Place("bitmap directory", at, length)]
