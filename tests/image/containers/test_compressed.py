"""Compressed images are judged by what is inside, and bombs go off in no one's memory or disk."""

import gzip
import lzma
import resource
import tracemalloc
import zlib
from collections.abc import Callable

import pytest
from backports import zstd
from tests.image.containers.packages import COMPRESSORS, examine, zipped
from tests.image.formats import disks
from tests.image.formats.disks import MIB

from pileus.image.containers import compression, examiner
from pileus.image.formats import FormatRefused

Compress = Callable[[bytes], bytes]
every_compression = pytest.mark.parametrize("compress", COMPRESSORS.values(), ids=COMPRESSORS)


@every_compression
@pytest.mark.parametrize("step", [1, 5, 1000, 10**9])
def test_the_disk_inside_is_measured(compress: Compress, step: int) -> None:
    verdict = examine(compress(disks.qcow2()), "compressed", "qcow2", step=step)
    assert (verdict.format, verdict.virtual_size) == ("qcow2", MIB)


@every_compression
def test_raw_inside_has_the_unpacked_size(compress: Compress) -> None:
    assert examine(compress(bytes(5 * MIB + 7)), "compressed", "raw").virtual_size == 5 * MIB + 7


@every_compression
def test_parts_and_padding_are_read_on(compress: Compress) -> None:
    data = disks.qcow2()
    parts = [data] if compress is zipped else [data[:70_000], data[70_000:]]
    packed = b"".join(map(compress, parts)) + bytes(512)
    assert examine(packed, "compressed", "qcow2") == examine(packed, "compressed", "qcow2", step=3)


@every_compression
def test_a_hostile_disk_inside_is_refused(compress: Compress) -> None:
    with pytest.raises(FormatRefused, match=r"inside the compressed image: .*names a backing file"):
        examine(compress(disks.qcow2(backing_at=512, backing_bytes=8)), "compressed", "qcow2")
    with pytest.raises(FormatRefused, match="declared as 'raw', but its bytes are 'qcow2'"):
        examine(compress(disks.qcow2()), "compressed", "raw")


@every_compression
def test_what_is_cut_off_or_damaged_is_refused(compress: Compress) -> None:
    packed = compress(disks.vdi() + bytes(range(256)) * 99)
    for length in (0, 1, 5, 6, 20, len(packed) // 2, len(packed) - 1):
        with pytest.raises(FormatRefused, match="cut off"):
            examine(packed[:length], "compressed", "vdi")
    with pytest.raises(FormatRefused):
        examine(packed[:50] + b"\xff" * 20 + packed[70:], "compressed", "vdi")
    with pytest.raises(FormatRefused, match="goes on after its end"):
        examine(packed + b"\0\0x", "compressed", "vdi")


def test_what_is_not_compressed_is_refused() -> None:
    with pytest.raises(FormatRefused, match="neither gzip, bzip2, xz, zstd nor zip"):
        examine(disks.qcow2(), "compressed", "qcow2")


def test_masses_of_parts_are_refused() -> None:
    with pytest.raises(FormatRefused, match="too many parts"):
        examine(gzip.compress(b"") * 5000, "compressed", "raw")


def bomb(compress: Compress, mib: int) -> bytes:
    """Parts of 16 MiB of zeros."""
    if compress is zipped:
        return compress(bytes(mib * MIB))
    return compress(bytes(16 * MIB)) * (mib // 16)


@every_compression
def test_a_bomb_is_stopped_at_the_bound(compress: Compress, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(FormatRefused, match=f"unpacks to more than {20 * MIB} bytes"):
        examine(bomb(compress, 64), "compressed", "raw", most=20 * MIB)
    monkeypatch.setattr(compression, "FREE", 20 * MIB)
    with pytest.raises(FormatRefused, match="more than 250 times its length"):
        examine(bomb(compress, 64), "compressed", "raw")


@every_compression
def test_a_bomb_takes_no_memory(compress: Compress) -> None:
    packed = bomb(compress, 64)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    tracemalloc.start()
    try:
        assert examine(packed, "compressed", "raw", step=10**9).virtual_size == 64 * MIB
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 24 * MIB  # what Python knows of: a piece, the zstd decoder's window
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 160 * 1024  # KiB: with the decoders' own


def test_a_huge_dictionary_is_refused() -> None:
    packed = lzma.compress(bytes(64), filters=[{"id": lzma.FILTER_LZMA2, "dict_size": 512 * MIB}])
    with pytest.raises(FormatRefused, match=r"[Mm]emory"):
        examine(packed, "compressed", "raw")
    windowed = zstd.compress(
        bytes(300 * MIB),
        options={zstd.CompressionParameter.window_log: 28, zstd.CompressionParameter.content_size_flag: 0},
    )
    with pytest.raises(FormatRefused, match="compressed image is refused"):
        examine(windowed, "compressed", "raw")


def test_a_bomb_inside_one_block_stops_early() -> None:
    looking = examiner("compressed", "raw", most_inside=MIB)
    with pytest.raises(FormatRefused):
        looking.feed(zlib.compress(bytes(64 * MIB), wbits=31))
