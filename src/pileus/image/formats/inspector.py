"""Recognise and check a disk image while it streams past."""

from pileus.image.formats.finding import Finding
from pileus.image.formats.gpt import parse_gpt
from pileus.image.formats.iso import parse_iso
from pileus.image.formats.luks import parse_luks
from pileus.image.formats.marks import parse_marks
from pileus.image.formats.qcow2 import parse_qcow2
from pileus.image.formats.stream import Parser, Reader, Stream
from pileus.image.formats.vdi import parse_vdi
from pileus.image.formats.verdict import Verdict
from pileus.image.formats.vhd import parse_vhd
from pileus.image.formats.vhdx import parse_vhdx
from pileus.image.formats.vmdk import parse_vmdk

PARSERS: tuple[Parser, ...] = (
    parse_qcow2,
    parse_vmdk,
    parse_vdi,
    parse_vhd,
    parse_vhdx,
    parse_luks,
    parse_marks,
    parse_iso,
    parse_gpt,
)
LARGEST = 1 << 60  # bytes of a disk: no cloud has more, and databases can count them


class Inspector:
    """Feed it a file's bytes in order, in chunks of any size; `finish` says what the file is.

    It keeps less than 1 MiB whatever the file's length, and the verdict does not depend on how the bytes were cut.
    """

    def __init__(self) -> None:
        self._stream = Stream()
        self._readers = [Reader(parser, self._stream) for parser in PARSERS]
        self._reading = self._readers  # those that want bytes before the file's end: soon none

    def feed(self, chunk: bytes) -> None:
        """Look at the next bytes of the file."""
        self._stream.append(chunk)
        if self._reading:
            for reader in self._reading:
                reader.feed(chunk)
            self._reading = [reader for reader in self._reading if reader.reads]

    def finish(self) -> Verdict:
        """Say what the file was; no more bytes may follow."""
        findings = [finding for reader in self._readers if (finding := reader.finish()) is not None]
        return _judge(findings, self._stream.size)


def _judge(findings: list[Finding], size: int) -> Verdict:
    if not findings:
        return Verdict("raw", size, [])
    if findings[0].wraps:
        # A hybrid ISO starts with a partition table, and so does the disk inside a fixed VHD.
        findings = [finding for finding in findings if finding.format != "gpt"]
    for finding in findings:
        finding.require((finding.virtual_size or 0) <= LARGEST, "its size is absurd")
    faults = [fault for finding in findings for fault in finding.faults]
    formats = tuple(finding.format for finding in findings)
    return Verdict(formats[0], findings[0].virtual_size, faults, formats)
