"""A package is taken only if it is exactly one disk that is in it, and what its own papers say."""

import io
import tarfile

import pytest
from tests.image.containers.packages import DISK, descriptor, examine, header, manifest, member, ova, pax, tar
from tests.image.formats import disks
from tests.image.formats.disks import MIB, patched

from pileus.image.formats import FormatRefused

OVF = descriptor()
FILE = '<File ovf:href="{}" ovf:id="{}"/>'
LAUGHS = b'<!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]><Envelope>&b;</Envelope>'
OUTSIDE = b'<!DOCTYPE l [<!ENTITY a SYSTEM "file:///etc/passwd">]><Envelope>&a;</Envelope>'
NVRAM = FILE.format("disk.vmdk", "file1") + FILE.format("machine.nvram", "file2")


def library_tar(format: int, *members: tuple[str, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=format) as archive:
        for name, data in members:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


GOOD = {
    "plain": ova(),
    "posix": library_tar(tarfile.USTAR_FORMAT, ("machine.ovf", OVF), ("disk.vmdk", DISK)),
    "gnu": library_tar(tarfile.GNU_FORMAT, ("machine.ovf", OVF), ("disk.vmdk", DISK)),
    "pax": tar(pax(mtime="1.5", path="machine.ovf"), member("x", OVF), member("disk.vmdk", DISK)),
    "manifest first": ova(before=(member("machine.mf", manifest("SHA256", machine_ovf=OVF, disk_vmdk=DISK)),)),
    "manifest last": ova(member("machine.mf", manifest("SHA1", machine_ovf=OVF, disk_vmdk=DISK))),
    "manifest and certificate": ova(
        member("machine.mf", manifest("SHA512", machine_ovf=OVF, disk_vmdk=DISK)), member("machine.cert", b"signed")
    ),
    "size not said": ova(text=descriptor(size=None)),
    "another file": ova(member("machine.nvram", b""), text=descriptor(references=NVRAM)),
    "an empty disk besides": ova(
        text=descriptor(disk_section='<Disk diskId="e" capacity="9"/><Disk diskId="d" fileRef="file1"/>')
    ),
}


@pytest.mark.parametrize("data", GOOD.values(), ids=GOOD)
@pytest.mark.parametrize("container", ["ova", "ovf"])
def test_a_package_is_measured_by_its_disk(data: bytes, container: str) -> None:
    verdict = examine(data, container, "vmdk")
    assert (verdict.format, verdict.virtual_size) == ("vmdk", MIB)


@pytest.mark.parametrize("step", [1, 511, 512, 513, 10**9])
def test_the_size_of_blocks_does_not_matter(step: int) -> None:
    assert examine(GOOD["manifest last"], "ova", "vmdk", step=step).virtual_size == MIB


def test_a_package_may_hold_a_disk_of_another_format() -> None:
    assert examine(ova(disk=disks.qcow2()), "ova", "qcow2").virtual_size == MIB


def with_file(name: str) -> bytes:
    return ova(text=descriptor(references=FILE.format("disk.vmdk", "file1") + FILE.format(name, "file2")))


HOSTILE = {
    "nothing": (b"", "cut off"),
    "no archive": (bytes(range(256)) * 8, "no POSIX tar"),
    "only an end": (bytes(1024), "has no descriptor"),
    "cut off in a header": (ova()[:700], "cut off"),
    "cut off in the disk": (ova()[:5000], "cut off"),
    "cut off before its end": (member("machine.ovf", OVF) + member("disk.vmdk", DISK), "cut off"),
    "behind the end": (ova() + b"x", "goes on after its end"),
    "second archive": (ova() + ova(), "goes on after its end"),
    "old tar": (tar(header(b"machine.ovf", magic=b"")), "no POSIX tar"),
    "damaged header": (patched(ova(), 10, b"x"), "checksum is wrong"),
    "checksum no number": (patched(ova(), 148, b"what?"), "a number that is none"),
    "GNU's extensions": (tar(header(b"machine.ovf", magic=b"ustar  \0", prefix=b"1234")), "uses GNU's extensions"),
    "descriptor not first": (
        tar(member("disk.vmdk", DISK), member("machine.ovf", OVF)),
        "not start with its descriptor",
    ),
    "two descriptors": (ova(member("other.ovf", OVF)), "does not name its file 'other.ovf'"),
    "twice": (ova(member("disk.vmdk", DISK)), "has 'disk.vmdk' twice"),
    "huge descriptor": (tar(header(b"machine.ovf", 2**40)), "longer than 1048576 bytes"),
    "huge manifest": (ova(header(b"machine.mf", 2**40)), "longer than 65536 bytes"),
    "huge certificate": (ova(header(b"machine.cert", 2**40)), "longer than 1048576 bytes"),
    "too many files": (
        tar(
            member("machine.ovf", descriptor(references="".join(FILE.format(f"f{n}", f"i{n}") for n in range(61)))),
        ),
        "more than 60 files",
    ),
    "unnamed file": (ova(member("more", b"")), "does not name its file 'more'"),
    "disk missing": (tar(member("machine.ovf", OVF)), "'disk.vmdk' is missing"),
    "another size": (ova(text=descriptor(size=5)), "another size than its descriptor says"),
    "size no number": (
        ova(text=descriptor(references='<File href="disk.vmdk" id="file1" size="-1"/>')),
        "size that is no number",
    ),
    # path traversal and links
    "path up": (tar(member("../machine.ovf", OVF)), "name '../machine.ovf' of a member is not allowed"),
    "absolute path": (tar(member("/machine.ovf", OVF)), "is not allowed"),
    "folder": (tar(member("a/machine.ovf", OVF)), "not a plain file"),
    "path by prefix": (tar(member("machine.ovf", OVF, prefix=b"..")), "is not allowed"),
    "path by extended header": (tar(pax(path="../../etc/x.ovf"), member("machine.ovf", OVF)), "is not allowed"),
    "symlink": (tar(header(b"machine.ovf", kind=b"2", target=b"/etc/passwd")), "not a plain file"),
    "hard link": (ova(header(b"disk2.vmdk", kind=b"1", target=b"disk.vmdk")), "not a plain file"),
    "device": (tar(header(b"machine.ovf", kind=b"4")), "member of the kind b'4'"),
    "pipe": (tar(header(b"machine.ovf", kind=b"6")), "member of the kind b'6'"),
    "old sparse": (tar(header(b"machine.ovf", kind=b"S")), "member of the kind b'S'"),
    "long name": (tar(header(b"././@LongLink", 5, kind=b"L")), "member of the kind b'L'"),
    "global header": (tar(header(b"pax", 5, kind=b"g")), "member of the kind b'g'"),
    "sparse by extended header": (tar(pax(GNU__sparse__major="1"), member("machine.ovf", OVF)), "GNU.sparse.major"),
    "damaged extended header": (tar(member("p", b"99 path=x\n", kind=b"x"), member("m.ovf", OVF)), "header is damaged"),
    "extended header without a number": (tar(member("p", b"path=x\n", kind=b"x")), "header is damaged"),
    "extended header twice": (tar(pax(path="a"), pax(path="b")), "or two for one member"),
    "extended header of nothing": (tar(pax(path="a")), "extended header of nothing"),
    "huge extended header": (tar(header(b"pax", 2**33, kind=b"x")), "absurd length"),
    "extended size no number": (tar(pax(size="-5"), member("machine.ovf", OVF)), "size is no number"),
    "link with data": (tar(header(b"machine.ovf", 5, kind=b"2", target=b"x")), "is no file but has data"),
    "name not printable": (tar(member("\x1b[2J.ovf", OVF)), "is not allowed"),
    "name not in UTF-8": (tar(header(b"\xff.ovf")), "not in UTF-8"),
    "backslash": (tar(member("..\\machine.ovf", OVF)), "is not allowed"),
    "negative size": (tar(patched(header(b"machine.ovf"), 124, b"\xff" * 12)), "checksum is wrong"),
    # the descriptor
    "no XML": (ova(text=b"hello"), "no sound XML"),
    "other XML": (ova(text=descriptor(root="Other")), "no OVF envelope"),
    "expanding entities": (ova(text=LAUGHS), "no sound XML"),
    "external entity": (ova(text=OUTSIDE), "no sound XML"),
    "unknown encoding": (ova(text=b'<?xml version="1.0" encoding="nope"?><Envelope/>'), "no sound XML"),
    "no sections": (ova(text=b"<Envelope/>"), "has 0 sections References"),
    "no disk": (ova(text=descriptor(disk_section='<Disk diskId="d"/>')), "has 0 disks"),
    "two disks": (ova(text=descriptor(disk_section='<Disk fileRef="file1"/><Disk fileRef="file1"/>')), "has 2 disks"),
    "parent disk": (ova(text=descriptor(disk_section='<Disk fileRef="file1" parentRef="p"/>')), "on a parent disk"),
    "disk elsewhere": (ova(text=descriptor(disk_section='<Disk fileRef="file7"/>')), "not among its files"),
    "file elsewhere": (with_file("/etc/passwd"), "'/etc/passwd', which is not in the package"),
    "file up": (with_file("../x"), "which is not in the package"),
    "file by address": (with_file("http://169.254.169.254/x"), "which is not in the package"),
    "file without a name": (with_file(""), "which is not in the package"),
    "file twice": (with_file("disk.vmdk"), "or its id twice"),
    "attribute twice": (
        ova(text=descriptor(references='<File href="a" ovf:href="b" id="file1"/>')),
        "an attribute twice",
    ),
    "chunks": (
        ova(text=descriptor(references='<File href="disk.vmdk" id="file1" chunkSize="5"/>')),
        "cut into chunks",
    ),
    "compressed": (
        ova(text=descriptor(references='<File href="disk.vmdk" id="file1" compression="gzip"/>')),
        "is compressed",
    ),
    "descriptor as a file": (with_file("machine.ovf"), "names itself"),
    # the manifest
    "manifest of another disk": (
        ova(member("machine.mf", manifest("SHA256", machine_ovf=OVF, disk_vmdk=b""))),
        "not the one that its manifest",
    ),
    "manifest first, of another disk": (
        ova(before=(member("machine.mf", manifest("SHA256", machine_ovf=OVF, disk_vmdk=b"")),)),
        "not the one that its manifest",
    ),
    "manifest of half": (ova(member("machine.mf", manifest("SHA256", disk_vmdk=DISK))), "not about exactly its files"),
    "manifest of more": (
        ova(member("machine.mf", manifest("SHA256", machine_ovf=OVF, disk_vmdk=DISK, other=b""))),
        "not about exactly its files",
    ),
    "manifest twice": (
        ova(member("machine.mf", manifest("SHA256", disk_vmdk=DISK) + manifest("SHA1", disk_vmdk=DISK))),
        "names 'disk.vmdk' twice",
    ),
    "manifest of no form": (ova(member("machine.mf", b"MD5(disk.vmdk)= 00")), "line of no known form"),
    # the disk
    "hostile disk": (
        ova(disk=disks.vmdk(descriptor=disks.SPARSE.replace("SPARSE", "FLAT"))),
        "The disk inside.*sparse",
    ),
    "another format": (ova(disk=disks.qcow2()), "declared as 'vmdk', but its bytes are 'qcow2'"),
    "an ISO around": (
        patched(ova(), 32768, disks.iso()[32768 : 32768 + 4096]),
        r"OVA package is at once a disk \(iso\)",
    ),
}


@pytest.mark.parametrize(("data", "reason"), HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_package_is_refused(data: bytes, reason: str) -> None:
    with pytest.raises(FormatRefused, match=reason):
        examine(data, "ova", "vmdk")
    with pytest.raises(FormatRefused):
        examine(data, "ova", "vmdk", step=100)


def test_a_deep_descriptor_is_no_trouble() -> None:
    deep = b"<Envelope>" + b"<a>" * 100_000 + b"</a>" * 100_000 + b"</Envelope>"
    with pytest.raises(FormatRefused):
        examine(ova(text=deep), "ova", "vmdk")


def test_ovf_takes_a_disk_alone_but_no_descriptor_alone() -> None:
    assert examine(DISK, "ovf", "vmdk").format == "vmdk"
    assert examine(b"tiny", "ovf", "raw").virtual_size == 4
    for text in (OVF, b"\xef\xbb\xbf" + OVF, b"<Envelope/>"):
        with pytest.raises(FormatRefused, match="descriptor alone has no disk"):
            examine(text, "ovf", "raw")
    with pytest.raises(FormatRefused, match="bytes are 'qcow2'"):
        examine(disks.qcow2(), "ovf", "raw")
