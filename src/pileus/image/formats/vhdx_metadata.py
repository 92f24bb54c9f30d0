"""The metadata region of a VHDX file: the disk's size, its block size, and whether it has a parent ([MS-VHDX] 2.6)."""

import struct
from uuid import UUID

from pileus.image.formats.finding import Finding

METADATA_BYTES = 128 * 1024  # the table takes 64 KiB, the items follow
TABLE_BYTES = 64 * 1024
ENTRIES = 2047
REQUIRED = 1 << 2
HAS_PARENT = 1 << 1
FILE_PARAMETERS = UUID("caa16737-fa36-4d43-b3b6-33f0aa44e76b").bytes_le
DISK_SIZE = UUID("2fa54224-cd1b-4876-b211-5dbed83bf4b8").bytes_le
PARENT_LOCATOR = UUID("a8d35f2d-b30b-454d-abf7-d3d84834ab0c").bytes_le
LOGICAL_SECTOR = UUID("8141bf1d-a96f-4709-ba47-f233a8faab5f").bytes_le
PHYSICAL_SECTOR = UUID("cda348c7-445d-4471-9cc9-e9885251c556").bytes_le
PAGE_83 = UUID("beca12ab-b2e6-4523-93ef-c309e000c746").bytes_le
KNOWN = frozenset({FILE_PARAMETERS, DISK_SIZE, PARENT_LOCATOR, LOGICAL_SECTOR, PHYSICAL_SECTOR, PAGE_83})


def read_metadata(finding: Finding, data: bytes) -> tuple[int, int]:
    """Check the region's first bytes and return the disk's and a block's size in bytes, 0 where unknown."""
    if len(data) < TABLE_BYTES or not data.startswith(b"metadata"):
        finding.faults.append("its metadata are missing")
        return 0, 0
    (count,) = struct.unpack_from("<H", data, 10)
    items: dict[bytes, bytes] = {}
    for number in range(min(count, ENTRIES)):
        kind, at, length, flags = struct.unpack_from("<16sIII", data, 32 + 32 * number)
        finding.require(kind in KNOWN or not flags & REQUIRED, "it needs metadata of an unknown kind")
        finding.require(kind not in items or kind not in KNOWN, "it has the same metadata twice")
        items[kind] = data[at : at + length] if at >= TABLE_BYTES else b""
    parameters, size = items.get(FILE_PARAMETERS, b""), items.get(DISK_SIZE, b"")
    if len(parameters) != 8 or len(size) != 8:
        finding.faults.append("its metadata do not say its size and block size")
        return 0, 0
    block, flags = struct.unpack("<II", parameters)
    sector = int.from_bytes(items.get(LOGICAL_SECTOR, b""), "little")
    finding.require(sector in (512, 4096), f"its sector size {sector} is absurd")
    whole = int.from_bytes(size, "little") % (sector or 512) == 0
    finding.require(whole, "its size is not a whole number of sectors")
    finding.require(not flags & HAS_PARENT and PARENT_LOCATOR not in items, "it depends on a parent image")
    finding.require(1 << 20 <= block <= 1 << 28 and block & (block - 1) == 0, f"its block size {block} is absurd")
    return int.from_bytes(size, "little"), block
