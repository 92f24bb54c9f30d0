"""The first sector of a PC's disk: code that the BIOS starts, and up to four partitions."""

import struct
from dataclasses import dataclass

SECTOR = 512
CODE_BYTES = 440
LINUX, FAT = 0x83, 0x0C


@dataclass(frozen=True)
class Partition:
    """`start` and `count` in sectors."""

    kind: int
    start: int
    count: int
    bootable: bool = False


def sector(code: bytes, signature: bytes, *partitions: Partition) -> bytes:
    """`signature` is four bytes by which systems tell disks apart."""
    table = b"".join(_entry(partition) for partition in partitions)
    return code[:CODE_BYTES].ljust(CODE_BYTES, b"\0") + signature + bytes(2) + table.ljust(64, b"\0") + b"\x55\xaa"


def _entry(partition: Partition) -> bytes:
    """By sector numbers; the cylinder fields hold the "too far" mark."""
    far = b"\xfe\xff\xff"
    flag = 0x80 if partition.bootable else 0
    return struct.pack("<B3sB3sII", flag, far, partition.kind, far, partition.start, partition.count)
