"""Virtual PC disks: Microsoft's "Virtual Hard Disk Image Format Specification" 1.0 (big-endian)."""

import struct

from pileus.image.formats.finding import Finding
from pileus.image.formats.stream import END, Range, Steps, Stream

FOOTER_BYTES = 512
HEADER_BYTES = 1024
HEADER_MOST = 64 * 1024  # writers put it right behind the footer's copy
COOKIE = b"conectix"
FIXED, DYNAMIC, DIFFERENCING = 2, 3, 4
VERSION = 0x00010000
SIZE_WRITERS = frozenset({b"win ", b"qem2", b"d2v ", b"tap\0", b"CTXS", b"wa\0\0"})


def parse_vhd(stream: Stream) -> Steps:
    """A dynamic disk starts with a copy of its footer; a fixed one is the disk's bytes with a footer behind them."""
    copy = yield Range(0, FOOTER_BYTES)
    dynamic = copy.startswith(COOKIE)
    header, header_at = b"", 0
    if dynamic and len(copy) == FOOTER_BYTES:
        (header_at,) = struct.unpack_from(">Q", copy, 16)
        header = yield Range(min(header_at, HEADER_MOST), HEADER_BYTES)
    tail = yield END
    footer = tail[-FOOTER_BYTES:]
    if not dynamic and not footer.startswith(COOKIE):
        return None
    finding = Finding("vhd", wraps=not dynamic)
    if len(footer) < FOOTER_BYTES or not footer.startswith(COOKIE):
        finding.faults.append("the file is cut off: it does not end with a footer")
        return finding
    size, kind = struct.unpack_from(">Q4xI", footer, 48)
    cylinders, heads, sectors = struct.unpack_from(">HBB", footer, 56)
    geometry = cylinders * heads * sectors * 512
    # Readers go by the size where they know the writer to fill it in, else by the geometry: then the larger counts.
    finding.virtual_size = size if footer[28:32] in SIZE_WRITERS else max(size, geometry)
    finding.require(_sum_holds(footer, 64), "its footer's checksum is wrong")
    finding.require(kind != DIFFERENCING, "it is a differencing disk, which needs a parent image")
    if dynamic:
        finding.require(copy == footer, "its footer differs from the copy at its start")
        finding.require(kind in (DYNAMIC, DIFFERENCING), f"its disk type {kind} does not fit a dynamic disk")
        finding.require(header_at <= HEADER_MOST, "its dynamic disk header is out of place")
        _check_header(finding, header, stream.size)
    else:
        finding.require(kind == FIXED, f"its disk type {kind} does not fit a fixed disk")
        finding.require(size + FOOTER_BYTES == stream.size, "its footer names another size than the file has")
    return finding


def _check_header(finding: Finding, header: bytes, file_size: int) -> None:
    if len(header) < HEADER_BYTES or not header.startswith(b"cxsparse"):
        finding.faults.append("its dynamic disk header is missing")
        return
    table_at, version, entries, block = struct.unpack_from(">QIII", header, 16)
    finding.require(_sum_holds(header, 36), "its dynamic disk header's checksum is wrong")
    finding.require(version == VERSION, f"its version {version:#x} is unknown")
    finding.require(not any(header[576:768]), "it names a parent image")
    finding.require(block >= 512 and block & (block - 1) == 0, f"its block size {block} is absurd")
    finding.require(entries * block >= (finding.virtual_size or 0), "its block table is too short for the disk")
    finding.require(table_at + 4 * entries <= file_size, "the file is cut off before the end of its block table")


def _sum_holds(block: bytes, at: int) -> bool:
    """The checksum, at offset `at`, is the one's complement of the sum of the block's other bytes."""
    stored = int.from_bytes(block[at : at + 4], "big")
    return stored == ~(sum(block) - sum(block[at : at + 4])) & 0xFFFFFFFF
