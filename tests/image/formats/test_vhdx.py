"""VHDX disks with one part spoilt, on the bytes of a real one."""

import struct

import pytest
from tests.image.formats.disks import inspect, patched, qemu_image

from pileus.image.formats import FormatRefused, check
from pileus.image.formats.crc32c import crc32c
from pileus.image.formats.vhdx_metadata import DISK_SIZE, FILE_PARAMETERS, LOGICAL_SECTOR, PARENT_LOCATOR

HEADERS = [(64 * 1024, 4096), (128 * 1024, 4096)]
REGIONS = [(192 * 1024, 65536), (256 * 1024, 65536)]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return qemu_image(tmp_path_factory.mktemp("vhdx"), "vhdx")


def resealed(data: bytes, parts: list[tuple[int, int]], at: int, new: bytes) -> bytes:
    """Write `new` at offset `at` of each part and make its checksum right again."""
    for start, length in parts:
        part = patched(patched(data[start : start + length], at, new), 4, bytes(4))
        data = patched(data, start, patched(part, 4, struct.pack("<I", crc32c(part))))
    return data


def refused(data: bytes, reason: str) -> None:
    with pytest.raises(FormatRefused, match=reason):
        check(inspect(data), "vhdx")


def metadata_at(data: bytes) -> int:
    found = data.index(b"metadata", 1024 * 1024)
    return found


def test_the_checksum_is_the_published_one() -> None:
    assert crc32c(b"123456789") == 0xE3069283


def test_an_unreplayed_log_is_refused(whole: bytes) -> None:
    refused(resealed(whole, HEADERS, 48, b"log"), "not closed cleanly")


def test_headers_with_wrong_checksums_do_not_count(whole: bytes) -> None:
    refused(patched(patched(whole, HEADERS[0][0] + 100, b"x"), HEADERS[1][0] + 100, b"x"), "no valid header")


def test_region_tables_with_wrong_checksums_do_not_count(whole: bytes) -> None:
    refused(patched(patched(whole, REGIONS[0][0] + 900, b"x"), REGIONS[1][0] + 900, b"x"), "no valid region table")


def test_two_different_region_tables_are_refused(whole: bytes) -> None:
    refused(resealed(whole, REGIONS[1:], 32, struct.pack("<Q", 7 << 20)), "region tables differ")


def test_an_unknown_required_region_is_refused(whole: bytes) -> None:
    data = resealed(whole, REGIONS, 8, struct.pack("<I", 3))
    refused(resealed(data, REGIONS, 16 + 64, b"?" * 16 + struct.pack("<QII", 1 << 20, 0, 1)), "unknown parts")


def test_regions_behind_the_end_are_refused(whole: bytes) -> None:
    refused(resealed(whole, REGIONS, 32, struct.pack("<Q", 1 << 60)), "before the end of its regions")


def test_a_parent_is_refused(whole: bytes) -> None:
    at = metadata_at(whole) + 65536
    flag = whole.index(struct.pack("<Q", 4 * 1024 * 1024), at) - 4
    refused(patched(whole, flag, struct.pack("<I", 2)), "parent image")


def test_a_parent_locator_is_refused(whole: bytes) -> None:
    at = whole.index(FILE_PARAMETERS)
    (count,) = struct.unpack_from("<H", whole, at - 32 + 10)
    data = patched(whole, at - 32 + 10, struct.pack("<H", count + 1))
    refused(patched(data, at + 32 * count, PARENT_LOCATOR), "parent image")


def test_metadata_without_a_size_are_refused(whole: bytes) -> None:
    refused(patched(whole, whole.index(DISK_SIZE), b"?" * 16), "do not say its size")


def test_an_unknown_version_is_refused(whole: bytes) -> None:
    refused(resealed(whole, HEADERS, 66, b"\7\0"), "version 7")


def test_a_missing_region_is_refused(whole: bytes) -> None:
    refused(resealed(whole, REGIONS, 8, struct.pack("<I", 1)), r"has 0 (block table|metadata region)s, not one")


def test_regions_askew_are_refused(whole: bytes) -> None:
    refused(resealed(whole, REGIONS, 32, struct.pack("<Q", (3 << 20) + 512)), "out of place")


def test_regions_that_overlap_are_refused(whole: bytes) -> None:
    (at,) = struct.unpack_from("<Q", whole, REGIONS[0][0] + 32)
    refused(resealed(whole, REGIONS, 64, struct.pack("<Q", at)), "regions overlap")


def test_missing_metadata_are_refused(whole: bytes) -> None:
    refused(patched(whole, metadata_at(whole), b"?"), "metadata are missing")


def test_unknown_required_metadata_are_refused(whole: bytes) -> None:
    at = whole.index(FILE_PARAMETERS)
    (count,) = struct.unpack_from("<H", whole, at - 32 + 10)
    data = patched(whole, at - 32 + 10, struct.pack("<H", count + 1))
    refused(patched(data, at + 32 * count, b"?" * 16 + struct.pack("<III", 65536, 8, 4)), "metadata of an unknown kind")


def test_the_same_metadata_twice_are_refused(whole: bytes) -> None:
    at = whole.index(FILE_PARAMETERS)
    (count,) = struct.unpack_from("<H", whole, at - 32 + 10)
    data = patched(whole, at - 32 + 10, struct.pack("<H", count + 1))
    refused(patched(data, at + 32 * count, whole[at : at + 32]), "same metadata twice")


def test_an_absurd_block_size_is_refused(whole: bytes) -> None:
    flag = whole.index(struct.pack("<Q", 4 * 1024 * 1024), metadata_at(whole) + 65536) - 4
    refused(patched(whole, flag - 4, struct.pack("<I", 3)), "block size 3")


def test_an_absurd_sector_or_half_of_one_is_refused(whole: bytes) -> None:
    size = whole.index(struct.pack("<Q", 4 * 1024 * 1024), metadata_at(whole) + 65536)
    refused(patched(whole, size, struct.pack("<Q", 4 * 1024 * 1024 - 1)), "not a whole number of sectors")
    (at,) = struct.unpack_from("<I", whole, whole.index(LOGICAL_SECTOR) + 16)
    refused(patched(whole, metadata_at(whole) + at, struct.pack("<I", 7)), "sector size 7")


def test_missing_blocks_are_refused(whole: bytes) -> None:
    refused(whole[: -1024 * 1024], "its blocks take")
