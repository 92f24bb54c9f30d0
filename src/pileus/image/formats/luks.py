"""LUKS encrypted disks, versions 1 and 2 (the on-disk format specifications of cryptsetup)."""

import struct

import msgspec

from pileus.image.formats.finding import Finding
from pileus.image.formats.stream import END, RANGE_BYTES, Range, Steps, Stream

MAGIC = b"LUKS\xba\xbe"
SECTOR = 512
HEADER1_BYTES = 592
HEADER2_BYTES = 4096
KEY_SLOTS = 8
SLOT_STATES = (0x00AC71F3, 0x0000DEAD)  # active, disabled


class _Segment(msgspec.Struct):
    offset: str


class _Metadata(msgspec.Struct):
    segments: dict[str, _Segment]


def parse_luks(stream: Stream) -> Steps:
    """The virtual size is what follows the header: the length of the plain disk."""
    start = yield Range(0, 8)
    if not start.startswith(MAGIC):
        return None
    version = int.from_bytes(start[6:8], "big")
    if version == 1:
        return (yield from _version1(stream))
    if version == 2:
        return (yield from _version2(stream))
    return Finding("luks", None, [f"its version {version} is unknown"])


def _version1(stream: Stream) -> Steps:
    finding = Finding("luks")
    header = yield Range(0, HEADER1_BYTES)
    if len(header) < HEADER1_BYTES:
        finding.faults.append("its header is cut off")
        return finding
    payload, key_bytes = struct.unpack_from(">II", header, 104)
    yield END
    finding.require(0 < key_bytes <= 512, f"its master key length of {key_bytes} bytes is absurd")
    for slot in range(KEY_SLOTS):
        state, material, stripes = struct.unpack_from(">I36xII", header, 208 + 48 * slot)
        finding.require(state in SLOT_STATES, f"its key slot {slot} is damaged")
        key_end = material * SECTOR + key_bytes * stripes
        finding.require(
            state != SLOT_STATES[0] or key_end <= payload * SECTOR, f"its key slot {slot} overlaps the data"
        )
    _measure(finding, stream.size, payload * SECTOR)
    return finding


def _version2(stream: Stream) -> Steps:
    finding = Finding("luks")
    header = yield Range(0, HEADER2_BYTES)
    if len(header) < HEADER2_BYTES:
        finding.faults.append("its header is cut off")
        return finding
    (header_bytes,) = struct.unpack_from(">Q", header, 8)
    if not HEADER2_BYTES < header_bytes <= 4 * 1024 * 1024:
        finding.faults.append(f"its header length of {header_bytes} bytes is absurd")
        return finding
    text = yield Range(HEADER2_BYTES, min(header_bytes - HEADER2_BYTES, RANGE_BYTES))
    yield END
    try:
        metadata = msgspec.json.decode(text.partition(b"\0")[0], type=_Metadata)
        offsets = [int(segment.offset) for segment in metadata.segments.values()]
    except (ValueError, RecursionError):
        finding.faults.append("its metadata is no LUKS2 metadata")
        return finding
    finding.require(len(offsets) > 0, "it has no data segment")
    if offsets:
        finding.require(min(offsets) >= 2 * header_bytes, "its data overlaps its header")
        _measure(finding, stream.size, min(offsets))
    return finding


def _measure(finding: Finding, size: int, payload: int) -> None:
    finding.require(payload > 0, "it names no place for its data")
    finding.require(payload <= size, f"the file is cut off before its data, which start at byte {payload}")
    finding.virtual_size = max(size - payload, 0)
