"""Files with holes: what of an image is zeros takes no room."""

import errno
import os
import random
from pathlib import Path

import pytest

from pileus.image.drivers.base import DataKey, StoreFull
from pileus.image.drivers.file import FileStore

KEY = DataKey("8b6e1f0c-2c6b-4c55-9f0c-6d1c3c3f2f11", "0" * 32)
MIB = 1 << 20


def put(folder: Path, blocks: list[bytes]) -> Path:
    store = FileStore("local", folder)
    sink = store.create(KEY)
    for block in blocks:
        sink.write(block)
    sink.commit()
    path = store.path(KEY)
    assert path is not None
    return path


@pytest.mark.parametrize("tail", [b"", b"end", bytes(MIB), bytes(4711)])
def test_zeros_are_holes_and_read_as_zeros(tmp_path: Path, tail: bytes) -> None:
    data = b"begin" + bytes(8 * MIB) + b"middle" + bytes(4 * MIB) + tail
    path = put(tmp_path, [data[at : at + MIB] for at in range(0, len(data), MIB)])
    assert path.read_bytes() == data
    assert path.stat().st_blocks * 512 <= 4 * 65536 + 4096


def test_nothing_but_zeros(tmp_path: Path) -> None:
    path = put(tmp_path, [bytes(64 * MIB)] * 4)
    assert path.stat().st_size == 256 * MIB
    assert path.stat().st_blocks * 512 <= 4096


def test_reads_in_and_around_holes(tmp_path: Path) -> None:
    data = bytes(MIB) + b"x" * 70_000 + bytes(2 * MIB) + b"y" + bytes(3 * MIB)
    put(tmp_path, [data])
    source = FileStore("local", tmp_path).open(KEY)
    edges = [0, 1, MIB - 1, MIB, MIB + 70_000, 2 * MIB, 3 * MIB + 70_000, 3 * MIB + 70_001, 5 * MIB, len(data), 7 * MIB]
    for offset in edges:
        for length in (0, 1, 4096, 65_536, MIB, 8 * MIB):
            assert source.read(offset, length) == data[offset : offset + length], (offset, length)
    source.close()


def test_holes_cost_no_reading(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path, [b"data" + bytes(4 * MIB - 4)])
    source, real, asked = FileStore("local", tmp_path).open(KEY), os.pread, []

    def pread(file: int, length: int, offset: int) -> bytes:
        asked.append(offset)
        return real(file, length, offset)

    monkeypatch.setattr(os, "pread", pread)
    assert b"".join(source.read(offset, MIB) for offset in range(0, source.size, MIB)) == b"data" + bytes(4 * MIB - 4)
    source.close()
    assert asked == [0]


@pytest.mark.parametrize("seed", range(8))
def test_any_mixture_cut_anyhow(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    data = b"".join(
        chance.choice((bytes(length), chance.randbytes(length)))
        for length in (chance.choice((1, 100, 65535, 65536, 65537, 300_000)) for _ in range(12))
    )
    cuts = sorted(chance.sample(range(len(data)), 9))
    blocks = [data[start:end] for start, end in zip([0, *cuts], [*cuts, len(data)], strict=True)]
    assert put(tmp_path, blocks).read_bytes() == data


@pytest.mark.parametrize("call", ["pwrite", "ftruncate", "fsync"])
def test_a_full_disk_is_told_at_whatever_call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    def full(*given: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    sink = FileStore("local", tmp_path).create(KEY)
    monkeypatch.setattr(os, call, full)
    with pytest.raises(StoreFull):
        sink.write(b"data" + bytes(MIB))
        sink.commit()
    sink.abort()
    assert list(tmp_path.iterdir()) == []
