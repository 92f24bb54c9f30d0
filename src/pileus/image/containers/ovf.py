"""`ovf`: a package of the Open Virtualization Format in one file, or a disk that was taken out of one."""

from pileus.image.containers.bare import Bare
from pileus.image.containers.examiner import Examiner
from pileus.image.containers.ova import Ova
from pileus.image.containers.tar_header import BLOCK, GNU, POSIX
from pileus.image.formats import FormatRefused, Verdict

XML = (b"<?xml", b"<Envelope", b"<ovf:Envelope")


class Ovf:
    """An `Examiner`: as of `ova` for an archive, as of `bare` for anything else but a descriptor without its disk."""

    def __init__(self, disk_format: str) -> None:
        self._disk_format = disk_format
        self._start = b""
        self._inner: Examiner | None = None

    def feed(self, block: bytes) -> None:
        """Raises `FormatRefused`."""
        if self._inner is None:
            self._start += block
            if len(self._start) < BLOCK:
                return
            block, self._inner = self._start, self._choose()
        self._inner.feed(block)

    def finish(self) -> Verdict:
        """Raises `FormatRefused`."""
        if self._inner is None:
            self._inner = self._choose()
            self._inner.feed(self._start)
        return self._inner.finish()

    def _choose(self) -> Examiner:
        if self._start.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(XML):
            raise FormatRefused(
                "An OVF descriptor alone has no disk. Upload the package as one file (OVA), or the disk."
            )
        if self._start[257:265] in (POSIX, GNU):
            return Ova(self._disk_format)
        return Bare(self._disk_format)
