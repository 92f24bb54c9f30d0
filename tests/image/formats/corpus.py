"""The corpus: files as attackers would upload them, and their sound brothers, made when asked for.

Each has the published weaknesses that it is an example of, what it is declared as, and the verdict that it must get.
"""

import struct
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from tests.image.containers import packages
from tests.image.formats import disks
from tests.image.formats.disks import CLUSTER, MIB, SPARSE, patched
from tests.image.formats.fields import BITMAPS, SNAPSHOT, made

from pileus.image.formats.vhdx_metadata import FILE_PARAMETERS, PARENT_LOCATOR

SECRET = b"/etc/passwd"
FLAT = f'# Disk DescriptorFile\nversion=1\nCID=1\nparentCID=ffffffff\ncreateType="monolithicFlat"\nRW 1 FLAT "{SECRET.decode()}" 0\n'


class Case(NamedTuple):
    """`refusal` is a pattern of the message, None for a file that must be taken; `virtual_size` is in bytes."""

    declared: str
    make: Callable[[], bytes]
    refusal: str | None = None
    weaknesses: tuple[str, ...] = ()
    virtual_size: int = 4 * MIB
    container: str = "bare"
    names_others: bool = False
    """qemu-img, if asked, says that opening it opens another file: the trick is real."""
    opened_as: str = ""
    """The format in which it would, if not the declared one."""


def backing(version: int = 3) -> bytes:
    return patched(disks.qcow2(version=version, backing_at=512, backing_bytes=len(SECRET)), 512, SECRET)


def data_file() -> bytes:
    name = struct.pack(">II", 0x44415441, len(SECRET)) + SECRET
    return disks.qcow2(incompatible=4, autoclear=2, extensions=name.ljust(24, b"\0"))


def split_vmdk(extent: str, kind: str = "monolithicFlat") -> bytes:
    return disks.vmdk(descriptor=SPARSE.replace('SPARSE "disk.vmdk"', extent).replace("monolithicSparse", kind))


def vhdx_with_parent() -> bytes:
    """The parent's place is one more entry of the metadata table; the file parameters say that there is one."""
    data = made("vhdx")
    at = data.index(FILE_PARAMETERS)
    (count,) = struct.unpack_from("<H", data, at - 32 + 10)
    data = patched(data, at - 32 + 10, struct.pack("<H", count + 1))
    data = patched(data, at + 32 * count, PARENT_LOCATOR + struct.pack("<III", 65536 + 512, 64, 4))
    (place,) = struct.unpack_from("<I", data, at + 16)
    return patched(data, at - 32 + place + 4, struct.pack("<I", 2))


def bochs() -> bytes:
    return struct.pack(
        "<32s16s16sIIIIII", b"Bochs Virtual HD Image", b"Redolog", b"Growing", 0x20000, 512, 2, 512, 4096, 0
    )


def ploop(mark: bytes = b"WithouFreSpacExt") -> bytes:
    return struct.pack("<16s5IQII", mark, 2, 16, 8, 2048, 4, 8192, 0x746F6E59, 0).ljust(8192, b"\0")


def iso_tree() -> bytes:
    """What the tool that distributions use makes of a folder, able to boot from USB."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "tree").mkdir()
        (Path(folder) / "tree" / "readme").write_text("hello\n")
        out = Path(folder) / "disk.iso"
        command = ["xorriso", "-as", "mkisofs", "-quiet", "-J", "-R", "-o", str(out), str(Path(folder) / "tree")]
        try:
            subprocess.run(command, check=True, capture_output=True)
        except FileNotFoundError:
            return disks.iso()
        return out.read_bytes()


def raw(*written: tuple[int, bytes]) -> bytes:
    data = bytes(4 * MIB)
    for at, new in written:
        data = patched(data, at, new)
    return data


BACKING, DATA_FILE, EXTENTS = "CVE-2015-5163", "CVE-2024-32498", "CVE-2022-47951"
FIRST_BACKING, DISGUISED, CONVERTED = "CVE-2015-1851", "CVE-2024-40767", "CVE-2024-44082"
RESIZED, WEARING = "CVE-2026-24708", "CVE-2015-5162"

HOSTILE = {
    "qcow2-backing": Case("qcow2", backing, "names a backing file", (BACKING, CONVERTED), names_others=True),
    "qcow2-v2-backing": Case("qcow2", lambda: backing(2), "names a backing file", (FIRST_BACKING,), names_others=True),
    "qcow2-data-file": Case("qcow2", data_file, "in another file", (DATA_FILE, CONVERTED), names_others=True),
    "qcow2-data-file-name": Case(
        "qcow2",
        lambda: disks.qcow2(extensions=struct.pack(">II", 0x44415441, 16) + SECRET.ljust(16, b"\0")),
        "names an external data file",
        (DATA_FILE,),
    ),
    "qcow2-unknown-feature": Case("qcow2", lambda: disks.qcow2(incompatible=1 << 63), "features 0x8000000000000000"),
    "qcow2-marked-corrupt": Case("qcow2", lambda: disks.qcow2(incompatible=2), "marked as corrupt"),
    "qcow2-huge-refcount-table": Case(
        "qcow2", lambda: disks.qcow2(refcount_table_clusters=2**32 - 1), "refcount table has an absurd", (WEARING,)
    ),
    "qcow2-huge-l1": Case("qcow2", lambda: disks.qcow2(l1_entries=2**31), "L1 table is absurdly large", (WEARING,)),
    "qcow2-huge-disk": Case("qcow2", lambda: disks.qcow2(size=2**63 - 512), "L1 table is too short", (WEARING,)),
    "qcow2-many-snapshots": Case(
        "qcow2", lambda: disks.qcow2(snapshots=2**32 - 1, snapshots_at=CLUSTER), "absurd number of snap", (WEARING,)
    ),
    "qcow2-tiny-clusters-wide-l2": Case(
        "qcow2", lambda: disks.qcow2(incompatible=16, cluster_bits=9), "too small for extended L2"
    ),
    "qcow2-bitmaps-outside": Case(
        "qcow2", lambda: disks.qcow2(autoclear=1, extensions=BITMAPS), "before the end of its bitmap directory"
    ),
    "qcow2-many-bitmaps": Case(
        "qcow2",
        lambda: disks.qcow2(autoclear=1, extensions=patched(BITMAPS, 8, b"\xff" * 4)),
        "absurd number of bitmaps",
        (WEARING,),
    ),
    "qcow2-half-sector": Case("qcow2", lambda: disks.qcow2(size=MIB - 1), "not a whole number of sectors"),
    "vmdk-flat-text": Case("vmdk", FLAT.encode, "descriptor without data", (EXTENTS, CONVERTED), names_others=True),
    "vmdk-flat-text-as-raw": Case(
        "raw", FLAT.encode, "bytes are 'vmdk'", (EXTENTS, DISGUISED), names_others=True, opened_as="vmdk"
    ),
    "vmdk-flat-in-sparse": Case("vmdk", lambda: split_vmdk('FLAT "/etc/passwd" 0'), "monolithicFlat", (EXTENTS,)),
    "vmdk-absolute-extent": Case(
        "vmdk", lambda: split_vmdk('SPARSE "/etc/passwd"', "monolithicSparse"), "not a sparse one", (EXTENTS,)
    ),
    "vmdk-split": Case("vmdk", lambda: split_vmdk('SPARSE "x"', "twoGbMaxExtentSparse"), "createType", (EXTENTS,)),
    "vmdk-empty-header-text": Case(
        "vmdk", lambda: disks.vmdk(capacity=0, descriptor=FLAT), "gives the disk no size", (EXTENTS,), names_others=True
    ),
    "vmdk-parent": Case(
        "vmdk",
        lambda: disks.vmdk(descriptor=SPARSE.replace("=ffffffff", "=1") + 'parentFileNameHint="/etc/passwd"\n'),
        "parent image",
        (EXTENTS,),
        names_others=True,
    ),
    "vmdk-footer-of-another-disk": Case(
        "vmdk", lambda: disks.streamed_vmdk(descriptor_at=30), "footer differs from its header", (EXTENTS,)
    ),
    "vmdk-esx": Case("vmdk", lambda: disks.vmdk(magic=b"COWD"), "ESX server extent"),
    "vdi-differencing": Case("vdi", lambda: disks.vdi(kind=4), "image type 4"),
    "vdi-parent": Case("vdi", lambda: disks.vdi(parent=b"p" * 16), "parent image"),
    "vdi-linked": Case("vdi", lambda: patched(disks.vdi(), 0x1A8, b"l" * 16), "parent image"),
    "vhd-differencing": Case("vhd", lambda: disks.vhd(kind=4), "differencing disk"),
    "vhd-parent": Case("vhd", lambda: disks.vhd(locator=b"W2ku"), "names a parent image"),
    "vhdx-parent": Case("vhdx", vhdx_with_parent, "parent image"),
    "iso-qcow2": Case("iso", lambda: disks.iso(start=backing()[:600]), r"\(qcow2, iso\)", (DISGUISED,)),
    "iso-vmdk": Case("iso", lambda: disks.iso(start=disks.vmdk()[:8192]), r"\(vmdk, iso\)", (DISGUISED,)),
    "gpt-qcow2": Case(
        "raw",
        lambda: patched(patched(disks.qcow2(), 510, b"\x55\xaa"), 512, b"EFI PART"),
        r"\(qcow2, gpt\)",
        (DISGUISED,),
    ),
    "qcow2-vhd": Case("qcow2", lambda: disks.fixed_vhd(disks.qcow2()), r"\(qcow2, vhd\)", (DISGUISED,)),
    "gpt-vdi": Case("raw", lambda: patched(disks.gpt(), 0x40, struct.pack("<I", 0xBEDA107F)), "vdi, gpt", (DISGUISED,)),
    "luks-as-raw": Case("raw", disks.luks1, "bytes are 'luks'", (DISGUISED,)),
    "luks-iso": Case("iso", lambda: disks.iso(start=disks.luks1()[:8192]), r"\(luks, iso\)", (DISGUISED,)),
    "raw-is-qcow2": Case(
        "raw", backing, "bytes are 'qcow2'", (DISGUISED, RESIZED), names_others=True, opened_as="qcow2"
    ),
    "raw-is-a-bare-qcow2-header": Case(
        "raw", lambda: backing()[:523].ljust(MIB, b"\0"), "bytes are 'qcow2'", (RESIZED,)
    ),
    "ami-is-qcow2": Case("ami", backing, "bytes are 'qcow2'", (DISGUISED,), names_others=True, opened_as="qcow2"),
    "raw-is-vmdk": Case("raw", disks.vmdk, "bytes are 'vmdk'", (DISGUISED,)),
    "raw-is-vdi": Case("raw", disks.vdi, "bytes are 'vdi'", (DISGUISED,)),
    "raw-is-vhdx": Case("raw", lambda: made("vhdx"), "bytes are 'vhdx'", (DISGUISED,)),
    "raw-is-qed": Case("raw", lambda: made("qed"), "bytes are 'qed'", (DISGUISED,)),
    "raw-is-qcow": Case("raw", lambda: made("qcow"), "bytes are 'qcow'", (DISGUISED,)),
    "raw-is-bochs": Case("raw", bochs, "bytes are 'bochs'", (DISGUISED,)),
    "raw-is-cloop": Case("raw", lambda: b"#!/bin/sh\n#V2.0 Format\n".ljust(4096, b"\0"), "are 'cloop'", (DISGUISED,)),
    "raw-is-dmg": Case("raw", lambda: bytes(4096) + b"koly".ljust(512, b"\0"), "bytes are 'dmg'", (DISGUISED,)),
    "raw-is-ploop": Case("raw", ploop, "bytes are 'ploop'", (DISGUISED,)),
    "qcow2-is-raw": Case("qcow2", raw, "bytes are 'raw'"),
    "compressed-qcow2-backing": Case(
        "qcow2",
        lambda: packages.COMPRESSORS["gzip"](backing()),
        "names a backing file",
        (BACKING,),
        container="compressed",
    ),
    "compressed-raw-is-qcow2": Case(
        "raw", lambda: packages.COMPRESSORS["xz"](backing()), "bytes are 'qcow2'", (DISGUISED,), container="compressed"
    ),
    "ova-flat-vmdk": Case(
        "vmdk", lambda: packages.ova(disk=FLAT.encode()), "descriptor without data", (EXTENTS,), container="ova"
    ),
    "ova-outside": Case(
        "vmdk",
        lambda: packages.ova(text=packages.descriptor(references='<File href="/etc/passwd" id="file1"/>')),
        "not in the package",
        container="ova",
    ),
}

STREAMED = ("-o", "subformat=streamOptimized")
GOOD = {
    "raw": Case("raw", raw),
    "raw-partitioned": Case("raw", lambda: disks.gpt().ljust(4 * MIB, b"\0")),
    "raw-with-a-qcow2-header-inside": Case("raw", lambda: raw((512, backing()), (MIB, backing()))),
    "raw-with-text-inside": Case("raw", lambda: raw((4096, FLAT.encode()))),
    "qcow2": Case("qcow2", lambda: made("qcow2")),
    "qcow2-v2": Case("qcow2", lambda: made("qcow2", "-o", "compat=0.10")),
    "qcow2-compressed": Case("qcow2", lambda: made("qcow2", "-c")),
    "qcow2-zstd": Case("qcow2", lambda: made("qcow2", "-c", "-o", "compression_type=zstd")),
    "qcow2-wide-l2": Case("qcow2", lambda: made("qcow2", "-o", "extended_l2=on")),
    "qcow2-snapshot": Case(
        "qcow2",
        lambda: patched(
            disks.qcow2(snapshots=1, snapshots_at=4 * CLUSTER, size=4 * MIB),
            4 * CLUSTER,
            SNAPSHOT.ljust(CLUSTER, b"\0"),
        ),
    ),
    "vmdk": Case("vmdk", lambda: made("vmdk")),
    "vmdk-streamed": Case("vmdk", lambda: made("vmdk", *STREAMED)),
    "vmdk-streamed-with-footer": Case("vmdk", disks.streamed_vmdk, virtual_size=MIB),
    "vdi": Case("vdi", lambda: made("vdi")),
    "vdi-static": Case("vdi", lambda: made("vdi", "-o", "static=on")),
    "vhd": Case("vhd", lambda: made("vpc", "-o", "force_size=on")),
    "vhd-fixed": Case("vhd", lambda: made("vpc", "-o", "subformat=fixed,force_size=on")),
    "vhdx": Case("vhdx", lambda: made("vhdx")),
    "vhdx-fixed": Case("vhdx", lambda: made("vhdx", "-o", "subformat=fixed")),
    "ploop": Case("ploop", lambda: made("parallels")),
    "ploop-own": Case("ploop", ploop),
    "ploop-old": Case("ploop", lambda: ploop(b"WithoutFreeSpace")),
    "iso": Case("iso", disks.iso, virtual_size=40960),
    "iso-tree": Case("iso", iso_tree, virtual_size=0),
    "iso-hybrid": Case("iso", lambda: disks.iso(start=disks.gpt()[:8192]), virtual_size=40960),
    "luks": Case("luks", disks.luks1, virtual_size=MIB),
    "compressed-qcow2": Case("qcow2", lambda: packages.COMPRESSORS["zstd"](made("qcow2")), container="compressed"),
    "compressed-raw": Case("raw", lambda: packages.COMPRESSORS["bzip2"](raw()), container="compressed"),
    "ova": Case("vmdk", lambda: packages.ova(disk=made("vmdk", *STREAMED)), container="ova"),
    "ova-own": Case("vmdk", packages.ova, container="ova", virtual_size=MIB),
}
CORPUS = HOSTILE | GOOD
