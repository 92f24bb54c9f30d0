"""`compressed`: a disk in one of the usual compressions."""

from pileus.image.containers.compression import Expander
from pileus.image.containers.examiner import Disk, Out, Shell
from pileus.image.formats import Verdict


class Compressed:
    """An `Examiner` of the disk inside; `most` bounds its bytes."""

    def __init__(self, disk_format: str, most: int | None, out: Out | None = None) -> None:
        self._shell = Shell("compressed file")
        self._disk = Disk(disk_format, "compressed image", out)
        self._expander = Expander(self._disk.feed, most)

    def feed(self, block: bytes) -> None:
        """Raises `FormatRefused`."""
        self._shell.feed(block)
        self._expander.feed(block)

    def finish(self) -> Verdict:
        """Raises `FormatRefused`."""
        self._expander.finish()
        self._shell.finish()
        return self._disk.finish()
