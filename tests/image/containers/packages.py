"""Packages and archives, built header by header so that a test can spoil one field."""

import bz2
import gzip
import hashlib
import io
import lzma
import struct
import zipfile
from collections.abc import Callable

from backports import zstd
from tests.image.formats import disks

from pileus.image.containers import examiner
from pileus.image.formats import Verdict

ENVELOPE = "http://schemas.dmtf.org/ovf/envelope/1"
DISK = disks.streamed_vmdk()


def zipped(data: bytes, *, method: int = zipfile.ZIP_DEFLATED, name: str = "disk", streamed: bool = False) -> bytes:
    """A zip archive of one file; `streamed` as a writer makes it that cannot seek back to fill in the sizes."""
    out = Unseekable() if streamed else io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive, archive.open(name, "w", force_zip64=streamed) as file:
        file.write(data)
    return out.getvalue()


class Unseekable(io.BytesIO):
    """A pipe, as far as writers can see."""

    def seekable(self) -> bool:
        return False

    def tell(self) -> int:
        raise OSError

    def seek(self, offset: int, whence: int = 0) -> int:
        raise OSError


COMPRESSORS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "zstd": zstd.compress,
    "zip": zipped,
}


def header(
    name: bytes,
    size: int = 0,
    *,
    kind: bytes = b"0",
    magic: bytes = b"ustar\x0000",
    prefix: bytes = b"",
    target: bytes = b"",
) -> bytes:
    """One tar header with a right checksum."""
    length = f"{size:011o}".encode() if size < 8**11 else b"\x80" + size.to_bytes(11, "big")
    fields = struct.pack("100s8s8s8s12s12s", name, b"0000644", b"0000000", b"0000000", length, b"0" * 11)
    rest = struct.pack("1s100s8s32s32s8s8s155s12x", kind, target, magic, b"root", b"root", b"", b"", prefix)
    total = sum(fields) + 8 * 32 + sum(rest)
    return fields + f"{total:06o}\0 ".encode() + rest


def member(name: str, data: bytes, **fields: bytes) -> bytes:
    """A header, the data, and zeros up to the next block."""
    return header(name.encode(), len(data), **fields) + data + bytes(-len(data) % 512)


def tar(*members: bytes) -> bytes:
    """An archive, with the end mark and the padding that GNU tar writes."""
    data = b"".join(members) + bytes(1024)
    return data + bytes(-len(data) % 10240)


def pax(**records: str) -> bytes:
    """An extended header; two underscores in a key stand for a point."""
    text = b""
    for key, value in records.items():
        body = f" {key.replace('__', '.')}={value}\n"
        length = len(body.encode())
        while len(str(length)) + len(body.encode()) != length:
            length = len(str(length)) + len(body.encode())
        text += f"{length}{body}".encode()
    return member("PaxHeaders/x", text, kind=b"x")


def descriptor(
    *,
    references: str = "",
    disk_section: str = "",
    disk: str = "disk.vmdk",
    size: int | None = len(DISK),
    root: str = "Envelope",
) -> bytes:
    """An OVF descriptor of one file, which is its disk."""
    length = f' ovf:size="{size}"' if size is not None else ""
    references = references or f'<File ovf:href="{disk}" ovf:id="file1"{length}/>'
    disk_section = disk_section or '<Disk ovf:capacity="2" ovf:diskId="disk1" ovf:fileRef="file1"/>'
    return (
        f'<?xml version="1.0"?>\n<{root} xmlns="{ENVELOPE}" xmlns:ovf="{ENVELOPE}">'
        f"<References>{references}</References><DiskSection><Info>disks</Info>{disk_section}</DiskSection>"
        f'<VirtualSystem ovf:id="machine"/></{root}>'
    ).encode()


def manifest(algorithm: str, **files: bytes) -> bytes:
    """The digests of files; an underscore in a name stands for a point."""
    lines = (
        f"{algorithm}({name.replace('_', '.')})= {hashlib.new(algorithm.lower(), data).hexdigest()}\n"
        for name, data in files.items()
    )
    return "".join(lines).encode()


def ova(*further: bytes, text: bytes = b"", disk: bytes = DISK, before: tuple[bytes, ...] = ()) -> bytes:
    """A package: descriptor, members `before` the disk, the disk, `further` members."""
    text = text or descriptor(size=len(disk))
    return tar(member("machine.ovf", text), *before, member("disk.vmdk", disk), *further)


def examine(data: bytes, container: str, disk_format: str, *, step: int = 65536, most: int | None = None) -> Verdict:
    """Stream `data` through an examiner in blocks of `step` bytes."""
    looking = examiner(container, disk_format, most_inside=most)
    for start in range(0, len(data), step):
        looking.feed(data[start : start + step])
    return looking.finish()
