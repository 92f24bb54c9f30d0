"""`ova`: a package of the Open Virtualization Format, which is a tar archive with its descriptor first (DSP0243, 6.4)."""

import hashlib

from pileus.image.containers import ovf_descriptor, ovf_manifest
from pileus.image.containers.examiner import Disk, Out, Shell
from pileus.image.containers.ovf_descriptor import Descriptor, read_descriptor
from pileus.image.containers.ovf_manifest import ALGORITHMS, Digest, read_manifest
from pileus.image.containers.tar import TarReader
from pileus.image.containers.tar_header import FILE, Member, TarRefused
from pileus.image.formats import FormatRefused, Verdict

MEMBERS = 64
CERTIFICATE_BYTES = 1024 * 1024


class Ova:
    """An `Examiner` of the one disk in a package."""

    def __init__(self, disk_format: str, out: Out | None = None) -> None:
        self._shell = Shell("OVA package")
        self._disk = Disk(disk_format, "OVA package", out)
        self._package = _Package(self._disk)
        self._tar = TarReader(self._package, MEMBERS)

    def feed(self, block: bytes) -> None:
        """Raises `FormatRefused`."""
        self._shell.feed(block)
        try:
            self._tar.feed(block)
        except TarRefused as error:
            raise FormatRefused(f"The OVA package is refused: {error}.") from None

    def finish(self) -> Verdict:
        """Raises `FormatRefused`."""
        try:
            self._tar.finish()
            self._package.finish()
        except TarRefused as error:
            raise FormatRefused(f"The OVA package is refused: {error}.") from None
        self._shell.finish()
        return self._disk.finish()


class _Package:
    """A `Visitor`: the descriptor, its files, perhaps a manifest with their digests, perhaps a certificate."""

    def __init__(self, disk: Disk) -> None:
        self._disk = disk
        self._name = ""
        self._stem = ""
        self._descriptor: Descriptor | None = None
        self._manifest: dict[str, Digest] | None = None
        self._text = bytearray()  # of a member that is read whole
        self._hashes: dict[str, dict[str, hashlib._Hash]] = {}

    def begin(self, member: Member) -> None:
        self._name = name = member.name
        if member.kind != FILE or "/" in name:
            raise TarRefused(f"its member {name[:80]!r} is not a plain file")
        if self._descriptor is None:
            self._stem, dot, ending = name.rpartition(".")
            if not dot or ending.lower() != "ovf":
                raise TarRefused("it does not start with its descriptor (.ovf)")
            self._bound(member, ovf_descriptor.MOST_BYTES)
        elif name == f"{self._stem}.mf":
            self._bound(member, ovf_manifest.MOST_BYTES)
            return
        elif name == f"{self._stem}.cert":
            self._bound(member, CERTIFICATE_BYTES)
            return
        elif name not in self._descriptor.files:
            raise TarRefused(f"its descriptor does not name its file {name[:80]!r}")
        elif self._descriptor.files[name] not in (None, member.size):
            raise TarRefused(f"its file {name[:80]!r} has another size than its descriptor says")
        self._hashes[name] = {algorithm: _new(algorithm) for algorithm in self._algorithms(name)}

    def data(self, block: bytes) -> None:
        for hashing in self._hashes.get(self._name, {}).values():
            hashing.update(block)
        if self._descriptor is None or self._name not in self._descriptor.files:
            self._text += block
        elif self._name == self._descriptor.disk:
            self._disk.feed(block)

    def end(self) -> None:
        text, self._text = bytes(self._text), bytearray()
        if self._descriptor is None:
            self._descriptor = read_descriptor(text)
            if self._name in self._descriptor.files or f"{self._stem}.mf" in self._descriptor.files:
                raise TarRefused("its descriptor names itself or the manifest as a file")
        elif self._name == f"{self._stem}.mf":
            self._manifest = read_manifest(text)

    def finish(self) -> None:
        """All files must be there, and be those that the manifest is about."""
        if self._descriptor is None:
            raise TarRefused("it has no descriptor")
        for name in self._descriptor.files:
            if name not in self._hashes:
                raise TarRefused(f"its file {name[:80]!r} is missing")
        if self._manifest is None:
            return
        if self._manifest.keys() != self._hashes.keys():
            raise TarRefused("its manifest is not about exactly its files")
        for name, digest in self._manifest.items():
            hashing = self._hashes[name].get(digest.algorithm)
            if hashing is None or hashing.hexdigest() != digest.value:
                raise TarRefused(f"its file {name[:80]!r} is not the one that its manifest has the digest of")

    def _algorithms(self, name: str) -> tuple[str, ...]:
        """Those that the manifest may ask for; it may also come last."""
        if self._manifest is None:
            return ALGORITHMS
        return (self._manifest[name].algorithm,) if name in self._manifest else ()

    @staticmethod
    def _bound(member: Member, most: int) -> None:
        if member.size > most:
            raise TarRefused(f"its file {member.name[:80]!r} is longer than {most} bytes")


def _new(algorithm: str) -> "hashlib._Hash":
    return hashlib.new(algorithm, usedforsecurity=False)
