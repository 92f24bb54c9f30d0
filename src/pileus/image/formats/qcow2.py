"""QEMU copy-on-write disks, versions 2 and 3 (QEMU's documentation "The QCOW2 image format", big-endian)."""

import struct
from typing import NamedTuple

from pileus.image.formats.finding import Finding
from pileus.image.formats.qcow2_clusters import check_allocation
from pileus.image.formats.qcow2_extensions import BITMAPS_VALID, Place, read_extensions
from pileus.image.formats.stream import END, RANGE_BYTES, Range, Steps, Stream

MAGIC = b"QFI\xfb"
HEADER2_BYTES = 72
HEADER3_BYTES = 104
DIRTY, CORRUPT, DATA_FILE, COMPRESSION, WIDE_L2 = (1 << bit for bit in range(5))
KNOWN = DIRTY | CORRUPT | DATA_FILE | COMPRESSION | WIDE_L2
RAW_DATA_FILE = 1 << 1  # among the autoclear bits
DEFLATE, ZSTD = b"\0", b"\1"
NO_ENCRYPTION, AES, LUKS = range(3)
# Limits that QEMU itself sets.
L1_BYTES = 32 * 1024 * 1024
REFCOUNT_TABLE_BYTES = 8 * 1024 * 1024
SNAPSHOTS = 65536
WIDE_L2_BITS = 14
SECTOR = 512


class Header(NamedTuple):
    """Fields of both versions; those that only version 3 has are zero for version 2, `length` apart."""

    magic: bytes
    version: int
    backing_at: int
    backing_bytes: int
    cluster_bits: int
    size: int
    encryption: int
    l1_entries: int
    l1_at: int
    refcount_table_at: int
    refcount_table_clusters: int
    snapshots: int
    snapshots_at: int
    incompatible: int = 0
    compatible: int = 0
    autoclear: int = 0
    refcount_order: int = 4
    length: int = HEADER2_BYTES


LAYOUT2 = struct.Struct(">4sIQIIQIIQQIIQ")
LAYOUT3 = struct.Struct(">4sIQIIQIIQQIIQQQQII")


def parse_qcow2(stream: Stream) -> Steps:
    """Refuse what names another file, what is unknown, and files that end before their own tables."""
    start = yield Range(0, HEADER3_BYTES + 8)
    version = int.from_bytes(start[4:8], "big")
    if not start.startswith(MAGIC) or version == 1:
        return None  # version 1 is another format
    if version not in (2, 3):
        return Finding("qcow2", None, [f"its version {version} is unknown"])
    layout = LAYOUT2 if version == 2 else LAYOUT3
    if len(start) < layout.size:
        return Finding("qcow2", None, ["its header is cut off"])
    header = Header._make((*layout.unpack_from(start), *Header._field_defaults.values())[: len(Header._fields)])
    finding = Finding("qcow2", header.size)
    if not _check_header(finding, header, start):
        return finding
    cluster = 1 << header.cluster_bits
    extensions = yield Range(header.length, min(cluster - header.length, RANGE_BYTES))
    places = read_extensions(
        finding,
        extensions,
        cluster - header.length,
        encrypted=header.encryption == LUKS,
        bitmaps=bool(header.autoclear & BITMAPS_VALID),
    )
    if header.incompatible & DIRTY == 0:
        yield from check_allocation(finding, stream, header.refcount_table_at, cluster, header.refcount_order)
    yield END
    _check_tables(finding, header, places, stream.size)
    return finding


def _check_header(finding: Finding, header: Header, start: bytes) -> bool:
    """Return whether the header is sane enough to read on."""
    finding.require(header.backing_at == 0, "it names a backing file")
    finding.require(header.incompatible & DATA_FILE == 0, "it keeps its data in another file")
    finding.require(header.autoclear & RAW_DATA_FILE == 0, "it keeps its data in another file")
    finding.require(header.incompatible & CORRUPT == 0, "it is marked as corrupt")
    unknown = header.incompatible & ~KNOWN
    finding.require(unknown == 0, f"it needs features {unknown:#x} that are unknown")
    compression = start[HEADER3_BYTES : HEADER3_BYTES + 1] if header.length > HEADER3_BYTES else b"\0"
    expected = ZSTD if header.incompatible & COMPRESSION else DEFLATE
    finding.require(compression == expected, "its compression is unknown or not announced")
    finding.require(header.encryption in (NO_ENCRYPTION, LUKS), f"its encryption {header.encryption} is not supported")
    finding.require(header.refcount_order <= 6, f"its refcount order {header.refcount_order} is absurd")
    sane = 9 <= header.cluster_bits <= 21
    finding.require(sane, f"its cluster size of 2^{header.cluster_bits} bytes is absurd")
    wide = header.incompatible & WIDE_L2
    finding.require(
        not wide or header.cluster_bits >= WIDE_L2_BITS, "its clusters are too small for extended L2 entries"
    )
    finding.require(header.size % SECTOR == 0, "its size is not a whole number of sectors")
    minimum = HEADER2_BYTES if header.version == 2 else HEADER3_BYTES
    fits = sane and minimum <= header.length <= 1 << header.cluster_bits and header.length % 8 == 0
    finding.require(fits or not sane, f"its header length of {header.length} bytes is absurd")
    return fits and header.refcount_order <= 6


def _check_tables(finding: Finding, header: Header, places: list[Place], size: int) -> None:
    cluster = 1 << header.cluster_bits
    l1_bytes = 8 * header.l1_entries
    refcount_bytes = cluster * header.refcount_table_clusters
    entry_bytes = 16 if header.incompatible & WIDE_L2 else 8
    covered = header.l1_entries * cluster * (cluster // entry_bytes)
    finding.require(l1_bytes <= L1_BYTES, "its L1 table is absurdly large")
    finding.require(covered >= header.size, "its L1 table is too short for the disk")
    finding.require(0 < refcount_bytes <= REFCOUNT_TABLE_BYTES, "its refcount table has an absurd size")
    finding.require(header.snapshots <= SNAPSHOTS, "it has an absurd number of snapshots")
    finding.require(header.snapshots_at % cluster == 0, "its snapshot table is out of place")
    for name, at, length in (
        ("L1 table", header.l1_at, l1_bytes),
        ("refcount table", header.refcount_table_at, refcount_bytes),
        ("snapshot table", header.snapshots_at, 40 * header.snapshots),
        *places,
    ):
        if length > 0:
            finding.require(at >= cluster and at % cluster == 0, f"its {name} is out of place")
            finding.require(at + length <= size, f"the file is cut off before the end of its {name}")
