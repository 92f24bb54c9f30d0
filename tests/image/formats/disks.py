"""Small disk images, built field by field so that a test can spoil one field."""

import struct
import subprocess
from pathlib import Path

from pileus.image.formats import Inspector, Verdict

CLUSTER = 65536
KIB, MIB = 1024, 1024 * 1024
DESCRIPTOR = """# Disk DescriptorFile
version=1
CID=fffffffe
parentCID=ffffffff
createType="{kind}"
RW {sectors} SPARSE "disk.vmdk"
ddb.adapterType = "ide"
"""
SPARSE = DESCRIPTOR.format(kind="monolithicSparse", sectors=2048)


def inspect(data: bytes, step: int = 65536) -> Verdict:
    """Stream `data` through an inspector in chunks of `step` bytes."""
    inspector = Inspector()
    for start in range(0, len(data), step):
        inspector.feed(data[start : start + step])
    return inspector.finish()


def patched(data: bytes, at: int, new: bytes) -> bytes:
    """Return `data` with `new` written over it at offset `at`, grown where needed."""
    data = data.ljust(at + len(new), b"\0")
    return data[:at] + new + data[at + len(new) :]


def qcow2(
    *,
    version: int = 3,
    backing_at: int = 0,
    backing_bytes: int = 0,
    cluster_bits: int = 16,
    size: int = MIB,
    encryption: int = 0,
    l1_entries: int = 1,
    l1_at: int = 3 * CLUSTER,
    refcount_table_at: int = CLUSTER,
    refcount_table_clusters: int = 1,
    snapshots: int = 0,
    snapshots_at: int = 0,
    incompatible: int = 0,
    autoclear: int = 0,
    refcount_order: int = 4,
    length: int = 104,
    extensions: bytes = b"",
) -> bytes:
    """An empty qcow2 disk of four clusters: header, refcount table, refcount block, L1 table."""
    header = struct.pack(
        ">4sIQIIQIIQQIIQQQQII",
        *(b"QFI\xfb", version, backing_at, backing_bytes, cluster_bits, size, encryption, l1_entries, l1_at),
        *(refcount_table_at, refcount_table_clusters, snapshots, snapshots_at),
        *(incompatible, 0, autoclear, refcount_order, length),
    )
    data = patched(header + extensions, CLUSTER, struct.pack(">Q", 2 * CLUSTER))
    data = patched(data, 2 * CLUSTER, struct.pack(">4H", 1, 1, 1, 1))
    return data.ljust(4 * CLUSTER, b"\0")


def vmdk(
    *,
    magic: bytes = b"KDMV",
    descriptor: str = SPARSE,
    capacity: int = 2048,
    grain: int = 128,
    descriptor_at: int = 1,
    descriptor_sectors: int = 20,
    entries: int = 512,
    directory_at: int = 64,
    footer: bytes = b"",
) -> bytes:
    """A monolithicSparse VMDK of 1 MiB without grains."""
    header = struct.pack(
        "<4sIIQQQQIQQQB4sH",
        *(magic, 1, 3, capacity, grain, descriptor_at, descriptor_sectors, entries, 32, directory_at, 128),
        *(0, b"\n \r\n", 0),
    )
    return patched(header.ljust(512, b"\0"), 512, descriptor.encode()).ljust(128 * 512, b"\0") + footer


def streamed_vmdk(*, descriptor_at: int = 1, directory_at: int = 64, kind: int = 3) -> bytes:
    """A streamOptimized VMDK whose grain directory is named by its footer, as VMware writes it."""
    descriptor = DESCRIPTOR.format(kind="streamOptimized", sectors=2048)
    head = vmdk(descriptor=descriptor, directory_at=2**64 - 1)
    footer = vmdk(descriptor_at=descriptor_at, directory_at=directory_at)[:512]
    return head + struct.pack("<QII", 1, 0, kind).ljust(512, b"\0") + footer + bytes(512)


def vdi(*, kind: int = 1, allocated: int = 1, parent: bytes = bytes(16)) -> bytes:
    """A VDI disk of 2 MiB with one block."""
    data = patched(
        b"<<< Oracle VM VirtualBox Disk Image >>>\n", 0x40, struct.pack("<IIII", 0xBEDA107F, 0x10001, 400, kind)
    )
    data = patched(data, 0x154, struct.pack("<II", 512, 1024))
    data = patched(data, 0x168, struct.pack("<I", 512))
    data = patched(data, 0x170, struct.pack("<QIIII", 2 * MIB, MIB, 0, 2, allocated))
    return patched(data, 0x1B8, parent).ljust(1024 + MIB, b"\0")


def with_sum(block: bytes, at: int) -> bytes:
    """A part of a VHD with its checksum, which is at offset `at`, made right."""
    return patched(block, at, struct.pack(">I", ~sum(patched(block, at, bytes(4))) & 0xFFFFFFFF))


def vhd_footer(kind: int, size: int, header_at: int) -> bytes:
    """The 512 bytes that end every VHD."""
    fields = struct.pack(
        ">8sIIQI4sI4sQQHBBI", b"conectix", 2, 0x10000, header_at, 0, b"test", 1, b"Wi2k", size, size, 0, 0, 0, kind
    )
    return with_sum(fields.ljust(512, b"\0"), 64)


def vhd(*, kind: int = 3, table_at: int = 1536, locator: bytes = b"") -> bytes:
    """An empty dynamic VHD of 4 MiB."""
    footer = vhd_footer(kind, 4 * MIB, 512)
    fields = struct.pack(">8sQQIII", b"cxsparse", 2**64 - 1, table_at, 0x10000, 2, 2 * MIB)
    header = with_sum(patched(fields.ljust(1024, b"\0"), 576, locator), 36)
    return footer + header + b"\xff" * 512 + footer


def fixed_vhd(content: bytes) -> bytes:
    """`content` with the footer of a fixed VHD behind it."""
    return content + vhd_footer(2, len(content), 2**64 - 1)


def luks1(*, payload: int = 4096) -> bytes:
    """A LUKS1 header without an active key, and 1 MiB of data."""
    head = struct.pack(">6sH32s32s32sII", b"LUKS\xba\xbe", 1, b"aes", b"xts-plain64", b"sha256", payload, 64)
    slots = b"".join(struct.pack(">II32sII", 0xDEAD, 0, b"", 8 + 512 * n, 4000) for n in range(8))
    return patched(head, 208, slots).ljust(4096 * 512, b"\0") + bytes(MIB)


def iso(*, start: bytes = b"", blocks: int = 20) -> bytes:
    """An ISO 9660 image of `blocks` blocks whose system area begins with `start`."""
    primary = patched(b"\x01CD001\x01", 80, struct.pack("<I", blocks))
    primary = patched(primary, 128, struct.pack("<H", 2048)).ljust(2048, b"\0")
    end = b"\xffCD001\x01".ljust(2048, b"\0")
    return patched(start, 16 * 2048, primary + end).ljust(20 * 2048, b"\0")


def gpt() -> bytes:
    """The start of a partitioned disk."""
    return patched(patched(bytes(512), 510, b"\x55\xaa"), 512, b"EFI PART").ljust(MIB, b"\0")


def qemu_image(folder: Path, driver: str, *options: str) -> bytes:
    """What qemu-img makes of a raw disk with some data in it."""
    raw, made = folder / "disk.raw", folder / f"disk.{driver}"
    raw.write_bytes(patched(b"data" * 5000, 3 * MIB, b"more" * 5000).ljust(4 * MIB, b"\0"))
    subprocess.run(["qemu-img", "convert", "-f", "raw", "-O", driver, *options, str(raw), str(made)], check=True)
    return made.read_bytes()
