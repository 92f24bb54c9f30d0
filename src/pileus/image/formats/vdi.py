"""VirtualBox disk images, version 1.1 (fields as in VirtualBox's public header, little-endian)."""

import struct

from pileus.image.formats.finding import Finding
from pileus.image.formats.stream import END, Range, Steps, Stream

HEADER_BYTES = 512
SIGNATURE = 0xBEDA107F
VERSION = 0x00010001
DYNAMIC, STATIC = 1, 2
BLOCK = 1024 * 1024
SECTOR = 512
NO_UUID = bytes(16)


def parse_vdi(stream: Stream) -> Steps:
    """Refuse all that is not a stand-alone disk whose block map and blocks are within the file."""
    header = yield Range(0, HEADER_BYTES)
    if len(header) < 0x44 or struct.unpack_from("<I", header, 0x40) != (SIGNATURE,):
        return None
    finding = Finding("vdi")
    if len(header) < HEADER_BYTES:
        finding.faults.append("its header is cut off")
        return finding
    version, _header_bytes, kind = struct.unpack_from("<III", header, 0x44)
    map_at, data_at = struct.unpack_from("<II", header, 0x154)
    (sector,) = struct.unpack_from("<I", header, 0x168)
    size, block, extra, blocks, allocated = struct.unpack_from("<QIIII", header, 0x170)
    linked, parent = header[0x1A8:0x1B8], header[0x1B8:0x1C8]
    yield END
    finding.virtual_size = size
    finding.require(version == VERSION, f"its version {version:#x} is unknown")
    finding.require(kind in (DYNAMIC, STATIC), f"its image type {kind} is not a stand-alone disk")
    finding.require(linked == NO_UUID and parent == NO_UUID, "it depends on a parent image")
    finding.require(sector == SECTOR and block == BLOCK and extra == 0, "its sector or block size is unknown")
    finding.require(size % SECTOR == 0, "its size is not a whole number of sectors")
    finding.require(map_at % SECTOR == 0 and data_at % SECTOR == 0, "its block map or its data are out of place")
    finding.require(blocks * block >= size, "its block map is too short for the disk")
    finding.require(allocated <= blocks, "it counts more blocks than the disk has")
    finding.require(map_at >= HEADER_BYTES and map_at + 4 * blocks <= data_at, "its block map is out of place")
    needed = data_at + allocated * block
    finding.require(needed <= stream.size, f"the file is cut off: its blocks take {needed} bytes, it has {stream.size}")
    return finding
