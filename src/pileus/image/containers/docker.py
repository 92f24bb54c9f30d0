"""`docker`: an archive as `docker save` writes it, whole or gzipped. It has layers of files, not a disk."""

from pileus.image.containers.compression import MARK_BYTES, Expander, decoder_of
from pileus.image.containers.examiner import Shell
from pileus.image.containers.tar import TarReader
from pileus.image.containers.tar_header import FILE, Member, TarRefused
from pileus.image.formats import FormatRefused, Verdict
from pileus.image.formats.verdict import PLAIN

MEMBERS = 4096
# One of them is in every archive: Docker's own lists, or the mark of the Open Container Initiative's layout.
LISTS = frozenset({"manifest.json", "repositories", "oci-layout"})


class Docker:
    """An `Examiner`. Nothing unpacks the archive here, so links in it are left alone."""

    def __init__(self, disk_format: str, most: int | None) -> None:
        if disk_format not in PLAIN:
            raise FormatRefused(f"A docker archive has no disk of the format '{disk_format}'; declare it as 'raw'.")
        self._shell = Shell("docker archive")
        self._archive = _Archive()
        self._tar = TarReader(self._archive, MEMBERS)
        self._expander = Expander(self._read, most)
        self._start = b""
        self._packed: bool | None = None

    def feed(self, block: bytes) -> None:
        """Raises `FormatRefused`."""
        self._shell.feed(block)
        if self._packed is None:
            self._start += block
            if len(self._start) < MARK_BYTES:
                return
            block, self._start = self._start, b""
            self._packed = decoder_of(block) is not None
        (self._expander.feed if self._packed else self._read)(block)

    def finish(self) -> Verdict:
        """The verdict has no virtual size. Raises `FormatRefused`."""
        if self._packed:
            self._expander.finish()
        try:
            self._tar.finish()
            if not self._archive.listed:
                raise TarRefused("it has no list of its layers")
        except TarRefused as error:
            raise FormatRefused(f"The docker archive is refused: {error}.") from None
        self._shell.finish()
        return Verdict("docker", None, [])

    def _read(self, block: bytes) -> None:
        try:
            self._tar.feed(block)
        except TarRefused as error:
            raise FormatRefused(f"The docker archive is refused: {error}.") from None


class _Archive:
    """A `Visitor` that looks for the list of layers."""

    listed = False

    def begin(self, member: Member) -> None:
        self.listed |= member.kind == FILE and member.name in LISTS

    def data(self, block: bytes) -> None:
        pass

    def end(self) -> None:
        pass
