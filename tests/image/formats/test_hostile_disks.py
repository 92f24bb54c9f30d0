"""Disks made to read other files, to lie about what they are or to wear out the reader are refused for their trick."""

import struct

import pytest
from tests.image.formats import disks
from tests.image.formats.disks import CLUSTER, SPARSE, patched

from pileus.image.formats import FormatRefused, check

DATA_FILE_NAME = struct.pack(">II", 0x44415441, 16) + b"/etc/shadow".ljust(16, b"\0")
FLAT = '# Disk DescriptorFile\nversion=1\nCID=1\nparentCID=ffffffff\ncreateType="monolithicFlat"\n'
FLAT += 'RW 8 FLAT "/etc/shadow" 0\n'

HOSTILE = {
    # reads another file through a backing file: CVE-2015-1851, CVE-2015-5163
    "qcow2 backing file": ("qcow2", disks.qcow2(backing_at=512, backing_bytes=11), "names a backing file"),
    "qcow2 v2 backing file": (
        "qcow2",
        disks.qcow2(version=2, backing_at=512, backing_bytes=11),
        "names a backing file",
    ),
    # reads another file through the external data file: CVE-2024-32498
    "qcow2 data file": ("qcow2", disks.qcow2(incompatible=4), "keeps its data in another file"),
    "qcow2 data file name": ("qcow2", disks.qcow2(extensions=DATA_FILE_NAME), "names an external data file"),
    "qcow2 raw data file": ("qcow2", disks.qcow2(autoclear=2), "keeps its data in another file"),
    "qcow2 unknown feature": ("qcow2", disks.qcow2(incompatible=1 << 40), "features 0x10000000000"),
    "qcow2 corrupt": ("qcow2", disks.qcow2(incompatible=2), "marked as corrupt"),
    "qcow2 AES": ("qcow2", disks.qcow2(encryption=1), "encryption 1"),
    "qcow2 LUKS without a header": ("qcow2", disks.qcow2(encryption=2), "no encryption header"),
    "qcow2 version": ("qcow2", disks.qcow2(version=4), "version 4"),
    # wears out the reader: CVE-2015-5162
    "qcow2 cluster bits": ("qcow2", disks.qcow2(cluster_bits=63), "cluster size of 2\\^63"),
    "qcow2 header length": ("qcow2", disks.qcow2(length=0xFFFFFFF8), "header length of 4294967288"),
    "qcow2 odd header length": ("qcow2", disks.qcow2(length=107), "header length of 107"),
    "qcow2 refcount order": ("qcow2", disks.qcow2(refcount_order=60), "refcount order 60"),
    "qcow2 L1 size": ("qcow2", disks.qcow2(l1_entries=2**32 - 1), "L1 table is absurdly large"),
    "qcow2 disk size": ("qcow2", disks.qcow2(size=2**62), "L1 table is too short"),
    "qcow2 refcount table size": (
        "qcow2",
        disks.qcow2(refcount_table_clusters=2**31),
        "refcount table has an absurd size",
    ),
    "qcow2 no refcount table": ("qcow2", disks.qcow2(refcount_table_clusters=0), "refcount table has an absurd size"),
    "qcow2 snapshots": ("qcow2", disks.qcow2(snapshots=2**31, snapshots_at=CLUSTER), "absurd number of snapshots"),
    "qcow2 extension length": (
        "qcow2",
        disks.qcow2(extensions=struct.pack(">II", 1, 2**31)),
        "longer than their place",
    ),
    "qcow2 extension behind what is read": (
        "qcow2",
        disks.qcow2(cluster_bits=21, extensions=struct.pack(">II", 1, 128 * 1024 - 8)),
        "extensions have no end",
    ),
    "qcow2 bitmaps of another length": (
        "qcow2",
        disks.qcow2(autoclear=1, extensions=struct.pack(">II", 0x23852875, 8) + bytes(8)),
        "bitmaps extension has a wrong length",
    ),
    "qcow2 bitmap directory without a length": (
        "qcow2",
        disks.qcow2(autoclear=1, extensions=struct.pack(">IIIIQQ", 0x23852875, 24, 1, 0, 0, CLUSTER)),
        "bitmap directory has an absurd length",
    ),
    "qcow2 LUKS header behind the end": (
        "qcow2",
        disks.qcow2(encryption=2, extensions=struct.pack(">IIQQ", 0x0537BE77, 16, 2**40, 512)),
        "before the end of its encryption header",
    ),
    # cut off before its own tables
    "qcow2 L1 behind the end": ("qcow2", disks.qcow2(l1_at=4 * CLUSTER), "before the end of its L1 table"),
    "qcow2 L1 in the header": ("qcow2", disks.qcow2(l1_at=0), "L1 table is out of place"),
    "qcow2 L1 askew": ("qcow2", disks.qcow2(l1_at=CLUSTER + 8), "L1 table is out of place"),
    "qcow2 refcounts behind the end": (
        "qcow2",
        disks.qcow2(refcount_table_at=2**40),
        "before the end of its refcount table",
    ),
    "qcow2 snapshots behind the end": (
        "qcow2",
        disks.qcow2(snapshots=1, snapshots_at=2**40),
        "end of its snapshot table",
    ),
    "qcow2 last cluster missing": ("qcow2", patched(disks.qcow2(), 2 * CLUSTER + 20, b"\0\1"), "uses its byte 655360"),
    "qcow2 short header": ("qcow2", disks.qcow2()[:90], "header is cut off"),
    # extents in other files: CVE-2022-47951
    "vmdk flat descriptor": ("vmdk", FLAT.encode(), "descriptor without data"),
    "vmdk descriptor without title": ("vmdk", b"\n# x\n \nVersion = 1\n" + FLAT.encode(), "descriptor without data"),
    "vmdk flat inside": ("vmdk", disks.vmdk(descriptor=FLAT), "createType 'monolithicFlat'"),
    "vmdk flat extent": ("vmdk", disks.vmdk(descriptor=SPARSE.replace("SPARSE", "FLAT")), "not a sparse one"),
    "vmdk no capacity": ("vmdk", disks.vmdk(capacity=0, descriptor=FLAT), "gives the disk no size"),
    "vmdk two extents": ("vmdk", disks.vmdk(descriptor=SPARSE + 'RW 8 SPARSE "b.vmdk"\n'), "has 2 extents"),
    "vmdk no extent": ("vmdk", disks.vmdk(descriptor=SPARSE.replace("RW", "#RW")), "has 0 extents"),
    "vmdk extent path": ("vmdk", disks.vmdk(descriptor=SPARSE.replace("disk.vmdk", "/etc/shadow")), "not a sparse one"),
    "vmdk extent URL": ("vmdk", disks.vmdk(descriptor=SPARSE.replace("disk.vmdk", "nbd:host:1")), "not a sparse one"),
    "vmdk extent size": ("vmdk", disks.vmdk(descriptor=SPARSE.replace("2048", "9" * 30)), "another size"),
    "vmdk parent": ("vmdk", disks.vmdk(descriptor=SPARSE + 'parentFileNameHint="/etc/shadow"\n'), "parent image"),
    "vmdk parent in a comment": ("vmdk", disks.vmdk(descriptor=SPARSE + '#parentFileNameHint="/e"\n'), "parent image"),
    "vmdk parent id": ("vmdk", disks.vmdk(descriptor=SPARSE.replace("=ffffffff", "=1")), "parent image"),
    "vmdk type in a comment": (
        "vmdk",
        disks.vmdk(descriptor='#createType="vmfs"\n' + SPARSE),
        "createType more than once",
    ),
    "vmdk two types": ("vmdk", disks.vmdk(descriptor=SPARSE + 'createType="vmfs"\n'), "'createtype' twice"),
    "vmdk after the end": ("vmdk", disks.vmdk(descriptor=SPARSE + "\0" + FLAT), "goes on after its end"),
    "vmdk unknown entry": ("vmdk", disks.vmdk(descriptor=SPARSE + 'changeTrackPath="/e"\n'), "'changetrackpath'"),
    "vmdk unknown line": ("vmdk", disks.vmdk(descriptor=SPARSE + "hello\n"), "no known form: 'hello'"),
    "vmdk descriptor elsewhere": ("vmdk", disks.vmdk(descriptor_at=2**54), "no descriptor where"),
    "vmdk huge descriptor": ("vmdk", disks.vmdk(descriptor_sectors=2**54), "no descriptor where"),
    "vmdk grain": ("vmdk", disks.vmdk(grain=0), "grain size of 0"),
    "vmdk table entries": ("vmdk", disks.vmdk(entries=0), "grain tables have 0 entries"),
    "vmdk directory behind the end": ("vmdk", disks.vmdk(directory_at=2**30), "before the end of its grain directory"),
    "vmdk without its footer": ("vmdk", disks.vmdk(directory_at=2**64 - 1), "has no footer"),
    "vmdk footer with another descriptor": (
        "vmdk",
        disks.streamed_vmdk(descriptor_at=30),
        "footer differs from its header",
    ),
    "vmdk footer without a directory": ("vmdk", disks.streamed_vmdk(directory_at=2**64 - 1), "footer does not say"),
    "vmdk footer without a marker": ("vmdk", disks.streamed_vmdk(kind=2), "has no footer"),
    "vmdk cut off in its descriptor": ("vmdk", disks.vmdk()[:5000], "descriptor is cut off"),
    "vmdk too short for a footer": ("vmdk", disks.streamed_vmdk()[:1500], "has no footer"),
    "vmdk ESX extent": ("vmdk", disks.vmdk(magic=b"COWD"), "ESX server extent"),
    "vmdk short header": ("vmdk", disks.vmdk()[:100], "header is cut off"),
    "vdi differencing": ("vdi", disks.vdi(kind=4), "image type 4"),
    "vdi parent": ("vdi", disks.vdi(parent=b"p" * 16), "parent image"),
    "vdi blocks behind the end": ("vdi", disks.vdi(allocated=2), "file is cut off"),
    "vhd differencing": ("vhd", disks.vhd(kind=4), "differencing disk"),
    "vhd parent": ("vhd", disks.vhd(locator=b"W2ku"), "names a parent image"),
    "vhd table behind the end": ("vhd", disks.vhd(table_at=2**40), "before the end of its block table"),
    "vhd cut off": ("vhd", disks.vhd()[:-512], "does not end with a footer"),
    "vhd damaged": ("vhd", patched(disks.vhd(), len(disks.vhd()) - 100, b"x"), "checksum"),
    "fixed vhd cut off": ("vhd", disks.fixed_vhd(bytes(4096))[512:], "another size"),
    "luks cut off": ("luks", disks.luks1(payload=2**24), "cut off before its data"),
    "luks version": ("luks", b"LUKS\xba\xbe\0\3".ljust(4096, b"\0"), "version 3"),
    "iso cut off": ("iso", disks.iso(blocks=21), "file is cut off"),
    "iso without an end": ("iso", disks.iso()[: 17 * 2048], "have no end"),
    # several formats at once
    "qcow2 in an ISO": ("iso", disks.iso(start=disks.qcow2()[:200]), "several formats at once \\(qcow2, iso\\)"),
    "vmdk in an ISO": ("iso", disks.iso(start=disks.vmdk()[:8192]), "several formats at once \\(vmdk, iso\\)"),
    "vhd behind a qcow2": ("qcow2", disks.fixed_vhd(disks.qcow2()), "several formats at once \\(qcow2, vhd\\)"),
    "gpt in a qcow2": ("qcow2", patched(patched(disks.qcow2(), 510, b"\x55\xaa"), 512, b"EFI PART"), "qcow2, gpt"),
    "luks in an ISO": ("iso", disks.iso(start=disks.luks1()[:8192]), "several formats at once \\(luks, iso\\)"),
    "dmg behind an ISO": ("iso", disks.iso() + b"koly".ljust(512, b"\0"), "several formats at once \\(dmg, iso\\)"),
    # raw that is something else: CVE-2024-40767, and CVE-2026-24708 for a header that a guest wrote
    "qcow2 as raw": ("raw", disks.qcow2(), "declared as 'raw', but its bytes are 'qcow2'"),
    "vmdk as raw": ("raw", disks.vmdk(), "bytes are 'vmdk'"),
    "vmdk text as raw": ("raw", FLAT.encode(), "bytes are 'vmdk'"),
    "vdi as raw": ("raw", disks.vdi(), "bytes are 'vdi'"),
    "vhd as raw": ("raw", disks.vhd(), "bytes are 'vhd'"),
    "fixed vhd as raw": ("raw", disks.fixed_vhd(bytes(4096)), "bytes are 'vhd'"),
    "luks as raw": ("raw", disks.luks1(), "bytes are 'luks'"),
    "iso as raw": ("raw", disks.iso(), "bytes are 'iso'"),
    "qcow2 header alone as ami": ("ami", disks.qcow2()[:112], "bytes are 'qcow2'"),
    "raw as qcow2": ("qcow2", bytes(4096), "declared as 'qcow2', but its bytes are 'raw'"),
    "gpt as qcow2": ("qcow2", disks.gpt(), "bytes are 'gpt'"),
    "vhd as vhdx": ("vhdx", disks.vhd(), "bytes are 'vhd'"),
}


@pytest.mark.parametrize(("declared", "data", "reason"), HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_disk_is_refused(declared: str, data: bytes, reason: str) -> None:
    with pytest.raises(FormatRefused, match=reason):
        check(disks.inspect(data), declared)


GOOD = {
    "raw": ("raw", bytes(4096)),
    "empty raw": ("raw", b""),
    "kernel": ("aki", b"MZ" + bytes(4096)),
    "partitioned raw": ("raw", disks.gpt()),
    "qcow2": ("qcow2", disks.qcow2()),
    "qcow2 v2": ("qcow2", disks.qcow2(version=2)),
    "dirty qcow2": ("qcow2", disks.qcow2(incompatible=1)),
    "vmdk": ("vmdk", disks.vmdk()),
    "streamed vmdk": ("vmdk", disks.streamed_vmdk()),
    "vdi": ("vdi", disks.vdi()),
    "vhd": ("vhd", disks.vhd()),
    "fixed vhd of a partitioned disk": ("vhd", disks.fixed_vhd(disks.gpt())),
    "luks": ("luks", disks.luks1()),
    "iso": ("iso", disks.iso()),
    "hybrid iso": ("iso", disks.iso(start=disks.gpt()[:8192])),
}


@pytest.mark.parametrize(("declared", "data"), GOOD.values(), ids=GOOD)
def test_the_same_disks_unspoilt_are_taken(declared: str, data: bytes) -> None:
    check(disks.inspect(data), declared)
