"""ISO 9660 images (ECMA-119). Hybrid ones, which start with an MBR or GPT to boot from USB, are normal."""

import struct

from pileus.image.formats.finding import Finding
from pileus.image.formats.stream import END, Range, Steps, Stream

SECTOR = 2048
PRIMARY = 1
TERMINATOR = 255
DESCRIPTORS = 64  # far more than any real image has


def parse_iso(stream: Stream) -> Steps:
    """Read the volume descriptors from sector 16 on. The virtual size is the file's: a guest sees all of it."""
    if (yield Range(16 * SECTOR + 1, 5)) != b"CD001":
        return None
    finding = Finding("iso", wraps=True)
    volume_bytes = 0
    for number in range(16, 16 + DESCRIPTORS):
        descriptor = yield Range(number * SECTOR, SECTOR)
        if len(descriptor) < SECTOR or descriptor[1:6] != b"CD001":
            finding.faults.append("its volume descriptors have no end")
            break
        if descriptor[0] == PRIMARY:
            (blocks,) = struct.unpack_from("<I", descriptor, 80)
            (block,) = struct.unpack_from("<H", descriptor, 128)
            volume_bytes = max(volume_bytes, blocks * block)
        if descriptor[0] == TERMINATOR:
            break
    else:
        finding.faults.append("its volume descriptors have no end")
    yield END
    finding.require(volume_bytes > 0, "it has no primary volume descriptor with a size")
    finding.require(stream.size >= volume_bytes, f"the file is cut off: the volume takes {volume_bytes} bytes")
    finding.virtual_size = stream.size
    return finding
