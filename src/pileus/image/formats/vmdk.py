"""VMware disks of one file (VMware "Virtual Disk Format 5.0", hosted sparse extents, little-endian)."""

import struct
from typing import NamedTuple

from pileus.image.formats.finding import Finding
from pileus.image.formats.stream import END, HEAD_BYTES, RANGE_BYTES, Range, Steps, Stream
from pileus.image.formats.vmdk_descriptor import descriptor_faults, is_descriptor

SECTOR = 512
PROBED = 2048  # bytes that some readers search for a descriptor
MAGIC = b"KDMV"
OLD_MAGIC = b"COWD"
AT_END = 0xFFFFFFFFFFFFFFFF
FLAG_SPARE = 1 << 1
FOOTER_MARKER = 3
LINE_ENDS = b"\n \r\n"


class SparseHeader(NamedTuple):
    """The sparse extent's header; sizes and places in sectors."""

    magic: bytes
    version: int
    flags: int
    capacity: int
    grain: int
    descriptor_at: int
    descriptor_sectors: int
    entries_a_table: int
    spare_directory_at: int
    directory_at: int
    overhead: int
    unclean: int
    line_ends: bytes
    compression: int


LAYOUT = struct.Struct("<4sIIQQQQIQQQB4sH")


def parse_vmdk(stream: Stream) -> Steps:
    """Refuse all but monolithicSparse and streamOptimized disks, and all that could name another file."""
    start = yield Range(0, PROBED)
    if start.startswith(OLD_MAGIC):
        return Finding(
            "vmdk", None, ["it is an ESX server extent; only monolithicSparse and streamOptimized are allowed"]
        )
    if not start.startswith(MAGIC):
        if is_descriptor(start):
            return Finding("vmdk", None, ["it is a descriptor without data, which can only name other files"])
        return None
    if len(start) < SECTOR:
        return Finding("vmdk", None, ["its header is cut off"])
    header = SparseHeader._make(LAYOUT.unpack_from(start))
    finding = Finding("vmdk", header.capacity * SECTOR)
    _check_geometry(finding, header)
    at, length = header.descriptor_at * SECTOR, header.descriptor_sectors * SECTOR
    if at == 0 or length == 0 or length > RANGE_BYTES or at + length > HEAD_BYTES:
        finding.faults.append("it has no descriptor where one is allowed")
    else:
        descriptor = yield Range(at, length)
        finding.require(len(descriptor) == length, "its descriptor is cut off")
        finding.faults += descriptor_faults(descriptor, header.capacity, header.grain)
    tail = yield END
    if header.directory_at == AT_END:
        header = _read_footer(finding, header, tail)
    _check_tables(finding, header, stream.size)
    return finding


def _check_geometry(finding: Finding, header: SparseHeader) -> None:
    finding.require(header.version in (1, 2, 3), f"its version {header.version} is unknown")
    finding.require(header.capacity > 0, "its header gives the disk no size")
    finding.require(header.capacity < 1 << 40, "its header gives the disk an absurd size")
    sane = 8 <= header.grain <= 1 << 18 and header.grain & (header.grain - 1) == 0
    finding.require(sane, f"its grain size of {header.grain} sectors is absurd")
    finding.require(header.entries_a_table == 512, f"its grain tables have {header.entries_a_table} entries, not 512")
    finding.require(header.compression in (0, 1), f"its compression {header.compression} is unknown")
    # These four bytes get changed when a file is copied as text.
    finding.require(header.line_ends == LINE_ENDS, "its header was damaged by a copy in text mode")


def _read_footer(finding: Finding, header: SparseHeader, tail: bytes) -> SparseHeader:
    """A stream's last three sectors: a marker, the header with the grain directory's place filled in, an empty marker.

    Readers take this header instead of the first one, so it must say the same of everything else.
    """
    if len(tail) < 3 * SECTOR:
        finding.faults.append("the file is cut off: it has no footer")
        return header
    count, size, kind = struct.unpack_from("<QII", tail)
    footer = SparseHeader._make(LAYOUT.unpack_from(tail, SECTOR))
    if count != 1 or size != 0 or kind != FOOTER_MARKER or footer.magic != MAGIC or any(tail[2 * SECTOR :]):
        finding.faults.append("the file is cut off: it has no footer")
        return header
    same = footer._replace(directory_at=AT_END, spare_directory_at=header.spare_directory_at, overhead=header.overhead)
    finding.require(same == header, "its footer differs from its header")
    finding.require(footer.directory_at != AT_END, "its footer does not say where its grain directory is")
    return footer


def _check_tables(finding: Finding, header: SparseHeader, size: int) -> None:
    covered = max(header.grain * header.entries_a_table, 1)
    directory_bytes = 4 * -(-header.capacity // covered)
    finding.require(header.directory_at > 0, "it has no grain directory")
    end = header.directory_at * SECTOR + directory_bytes
    finding.require(end <= size, "the file is cut off before the end of its grain directory")
    spare_end = header.spare_directory_at * SECTOR + directory_bytes if header.flags & FLAG_SPARE else 0
    finding.require(spare_end <= size, "the file is cut off before the end of its spare grain directory")
    finding.require(header.overhead * SECTOR <= size, "the file is cut off before its first grain")
