"""Hyper-V disks (Microsoft's open specification [MS-VHDX], little-endian)."""

import struct
from typing import NamedTuple
from uuid import UUID

from pileus.image.formats.crc32c import crc32c
from pileus.image.formats.finding import Finding
from pileus.image.formats.stream import END, Passed, Range, Steps, Stream
from pileus.image.formats.vhdx_metadata import METADATA_BYTES, read_metadata

KIB, MIB = 1024, 1024 * 1024
HEADERS_AT = (64 * KIB, 128 * KIB)
HEADER_BYTES = 4 * KIB
REGIONS_AT = (192 * KIB, 256 * KIB)
REGIONS_BYTES = 64 * KIB
REGION_ENTRIES = 2047
BAT = UUID("2dc27766-f623-4200-9d64-115e9bfd4a08").bytes_le
METADATA = UUID("8b7ca206-4790-4b9a-b8fe-575f050f886e").bytes_le
NAMES = {BAT: "block table", METADATA: "metadata region"}
PRESENT = 6  # an entry's state, in its low three bits


class Region(NamedTuple):
    """A part of the file, in bytes."""

    kind: bytes
    at: int
    length: int
    required: int


def parse_vhdx(stream: Stream) -> Steps:
    """Refuse disks with a parent, an unreplayed log, unknown required parts or parts outside the file."""
    if (yield Range(0, 8)) != b"vhdxfile":
        return None
    finding = Finding("vhdx")
    headers = []
    for at in HEADERS_AT:
        header = yield Range(at, HEADER_BYTES)
        if _sum_holds(header, b"head", HEADER_BYTES):
            headers.append(header)
    _check_headers(finding, headers)
    tables = []
    for at in REGIONS_AT:
        table = yield Range(at, REGIONS_BYTES)
        if _sum_holds(table, b"regi", REGIONS_BYTES):
            tables.append(_read_regions(table))
    finding.require(len(tables) > 0, "it has no valid region table")
    finding.require(all(table == tables[0] for table in tables), "its two region tables differ")
    regions = tables[0] if tables else []
    wanted = [_one(finding, regions, kind) for kind in (BAT, METADATA)]
    known = all(region.kind in (BAT, METADATA) or not region.required for region in regions)
    finding.require(known, "it needs unknown parts")
    data = {}
    for region in sorted((region for region in wanted if region is not None), key=lambda region: region.at):
        try:
            data[region.kind] = yield Range(region.at, min(region.length, METADATA_BYTES))
        except Passed:
            finding.faults.append("its regions overlap")
    finding.virtual_size, block = read_metadata(finding, data.get(METADATA, b""))
    yield END
    for region in regions:
        finding.require(region.at >= MIB and region.at % MIB == 0, "one of its regions is out of place")
        finding.require(region.at + region.length <= stream.size, "the file is cut off before the end of its regions")
    used = _used_bytes(data.get(BAT, b""), block)
    finding.require(used <= stream.size, f"the file is cut off: its blocks take {used} bytes, it has {stream.size}")
    return finding


def _sum_holds(data: bytes, mark: bytes, length: int) -> bool:
    """The checksum is behind the mark and counts itself as zero."""
    if len(data) < length or not data.startswith(mark):
        return False
    return crc32c(data[:4] + bytes(4) + data[8:]) == int.from_bytes(data[4:8], "little")


def _check_headers(finding: Finding, headers: list[bytes]) -> None:
    """Of the two headers, the one with the higher sequence number counts."""
    if not headers:
        finding.faults.append("it has no valid header")
        return
    header = max(headers, key=lambda data: int.from_bytes(data[8:16], "little"))
    (version,) = struct.unpack_from("<H", header, 66)
    finding.require(version == 1, f"its version {version} is unknown")
    finding.require(not any(header[48:64]), "it was not closed cleanly: its log has to be replayed first")


def _read_regions(table: bytes) -> list[Region]:
    (count,) = struct.unpack_from("<I", table, 8)
    return [Region._make(struct.unpack_from("<16sQII", table, 16 + 32 * n)) for n in range(min(count, REGION_ENTRIES))]


def _one(finding: Finding, regions: list[Region], kind: bytes) -> Region | None:
    found = [region for region in regions if region.kind == kind]
    finding.require(len(found) == 1, f"it has {len(found)} {NAMES[kind]}s, not one")
    return found[0] if len(found) == 1 else None


def _used_bytes(table: bytes, block: int) -> int:
    """Where the last present block of the table ends; a table's entry is a state and a place in MiB."""
    entries = struct.unpack_from(f"<{len(table) // 8}Q", table)
    return max((entry >> 20 << 20 for entry in entries if entry & 7 == PRESENT), default=-block) + block
