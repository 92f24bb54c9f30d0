"""Formats that are recognised by their mark alone, so that their bytes cannot pass for another format's.

Some disk tools open each of them by probing; some may name other files. The image API knows only `ploop` of them.
"""

import struct

from pileus.image.formats.finding import Finding
from pileus.image.formats.stream import END, Range, Steps, Stream

# mark at offset 0 → format
HEADS = {
    b"QFI\xfb\x00\x00\x00\x01": "qcow",
    b"QED\0": "qed",
    b"Bochs Virtual HD Image": "bochs",
    b"#!/bin/sh\n#V2.0 Format\n": "cloop",
}
PLOOP = (b"WithoutFreeSpace", b"WithouFreSpacExt")
PLOOP_HEADER = 64
DMG_TRAILER = 512


def parse_marks(stream: Stream) -> Steps:
    """Look at the file's first bytes, then at its last sector."""
    start = yield Range(0, 64)
    if start.startswith(PLOOP):
        return (yield from _ploop(stream, start))
    for mark, name in HEADS.items():
        if start.startswith(mark):
            return Finding(name)
    tail = yield END
    if tail[-DMG_TRAILER:].startswith(b"koly"):
        return Finding("dmg")
    return None


def _ploop(stream: Stream, start: bytes) -> Steps:
    """Parallels' header, little-endian: 16 mark, version, heads, cylinders, sectors a block, entries, disk sectors."""
    if len(start) < 44:
        return Finding("ploop", None, ["its header is cut off"])
    version, _heads, _cylinders, tracks, entries, sectors = struct.unpack_from("<5IQ", start, 16)
    if start.startswith(PLOOP[0]):
        sectors &= 0xFFFFFFFF  # the older mark counts in 32 bits
    finding = Finding("ploop", sectors * 512)
    finding.require(version == 2, f"its version {version} is unknown")
    finding.require(tracks > 0 and entries * tracks >= sectors, "its block table is too short for the disk")
    yield END
    finding.require(PLOOP_HEADER + 4 * entries <= stream.size, "the file is cut off before the end of its block table")
    return finding
