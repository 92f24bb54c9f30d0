"""GUID partition tables (UEFI 2.10, 5.3): plain disks, told apart from `raw` so that polyglots are seen."""

from pileus.image.formats.finding import Finding
from pileus.image.formats.stream import END, Range, Steps, Stream

SECTORS = (512, 4096)  # the header is in the second sector


def parse_gpt(stream: Stream) -> Steps:
    """Find a boot sector with the header's signature behind it; the disk's size is the file's."""
    if (yield Range(510, 2)) != b"\x55\xaa":
        return None
    for sector in SECTORS:
        if (yield Range(sector, 8)) == b"EFI PART":
            yield END
            return Finding("gpt", stream.size)
    return None
