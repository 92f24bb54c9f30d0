"""Container formats: what is around a disk's bytes, checked while it streams past, and how to get the disk out of it."""

from pileus.image.containers.bare import Bare
from pileus.image.containers.compressed import Compressed
from pileus.image.containers.docker import Docker
from pileus.image.containers.examiner import Examiner
from pileus.image.containers.ova import Ova
from pileus.image.containers.ovf import Ovf
from pileus.image.containers.unpack import UNPACKED, Unpacked, unpack

__all__ = ["UNPACKED", "Examiner", "Unpacked", "examiner", "unpack"]


def examiner(container_format: str, disk_format: str, *, most_inside: int | None = None) -> Examiner:
    """What looks at an image of these two formats (the API's terms) while its bytes come.

    `most_inside` bounds the bytes that compressed data may unpack to, beside the bound that their own length sets.
    """
    match container_format:
        case "ova":
            return Ova(disk_format)
        case "ovf":
            return Ovf(disk_format)
        case "docker":
            return Docker(disk_format, most_inside)
        case "compressed":
            return Compressed(disk_format, most_inside)
        case _:
            return Bare(disk_format)
