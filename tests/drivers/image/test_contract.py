"""What every store that can be written promises."""

import gc
import hashlib
import tracemalloc
from concurrent.futures import ThreadPoolExecutor

import pytest

from pileus.image.drivers.base import DataKey
from tests.drivers.image.rigs import PART, Rig, get, new_key, pattern, put


@pytest.mark.parametrize("size", [0, 1, PART - 1, PART, PART + 1, 2 * PART, 2 * PART + 4711])
def test_what_is_written_is_read(rig: Rig, size: int) -> None:
    key, data = new_key(), pattern(size)
    put(rig.store, key, data, 777_777)
    source = rig.store.open(key)
    assert source.size == size
    source.close()
    assert get(rig.store, key) == data
    assert list(rig.store.keys()) == [key]


def test_blocks_may_be_of_any_length(rig: Rig) -> None:
    key, data = new_key(), pattern(PART + 100)
    sink = rig.store.create(key)
    for block in (data[:1], b"", data[1:70], data[70 : PART + 50], data[PART + 50 :]):
        sink.write(block)
    sink.commit()
    assert get(rig.store, key, len(data)) == data


def test_reads_leap(rig: Rig) -> None:
    key, data = new_key(), pattern(PART + 12345)
    put(rig.store, key, data)
    source = rig.store.open(key)
    end = len(data)
    spans = [(7, 100), (107, 100), (207, 1000), (PART - 5, 10), (0, 10), (10, 20), (end - 3, 3), (PART, 1), (0, end)]
    for offset, length in spans:
        assert source.read(offset, length) == data[offset : offset + length], (offset, length)
    source.close()


def test_reads_past_the_end_are_short(rig: Rig) -> None:
    key = new_key()
    put(rig.store, key, b"0123456789")
    source = rig.store.open(key)
    assert [source.read(8, 100), source.read(10, 1), source.read(99, 1), source.read(3, 0)] == [b"89", b"", b"", b""]
    source.close()
    source.close()


def test_absent_data(rig: Rig) -> None:
    with pytest.raises(FileNotFoundError):
        rig.store.open(new_key())
    assert list(rig.store.keys()) == []


@pytest.mark.parametrize("size", [10, 2 * PART + 1])
def test_deleted_twice_is_deleted(rig: Rig, size: int) -> None:
    gone, stays = new_key(), new_key()
    for key in (gone, stays):
        put(rig.store, key, pattern(size))
    for _ in range(2):
        rig.store.delete(gone)
        assert list(rig.store.keys()) == [stays]
        with pytest.raises(FileNotFoundError):
            rig.store.open(gone)
    assert get(rig.store, stays) == pattern(size)
    rig.store.delete(stays)
    assert rig.left() == 0


@pytest.mark.parametrize("committed", [False, True])
@pytest.mark.parametrize("size", [0, 10, PART + 1, 3 * PART])
def test_abort_leaves_nothing(rig: Rig, size: int, committed: bool) -> None:
    key = new_key()
    sink = rig.store.create(key)
    sink.write(pattern(size))
    if committed:
        sink.commit()
    for _ in range(2):
        sink.abort()
        assert list(rig.store.keys()) == []
        with pytest.raises(FileNotFoundError):
            rig.store.open(key)
    assert rig.left() == 0


def test_writers_that_never_end_are_listed_and_removed(rig: Rig) -> None:
    whole, begun = new_key(), new_key()
    put(rig.store, whole, b"whole")
    sink = rig.store.create(begun)
    sink.write(pattern(3 * PART))
    del sink
    gc.collect()
    assert set(rig.store.keys()) == {whole, begun}
    rig.store.delete(begun)
    assert list(rig.store.keys()) == [whole]
    rig.store.delete(whole)
    assert rig.left() == 0


def test_an_image_may_be_there_twice(rig: Rig) -> None:
    first = new_key()
    second = DataKey(first.image_id, new_key().key)
    put(rig.store, first, b"first")
    put(rig.store, second, b"second")
    rig.store.delete(first)
    assert get(rig.store, second) == b"second"


def test_writers_beside_each_other(rig: Rig) -> None:
    image = new_key().image_id
    keys = [new_key(image) for _ in range(4)]
    data = [pattern(PART + number, number) for number in range(4)]
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda key, some: put(rig.store, key, some), keys, data))
        assert list(threads.map(lambda key: get(rig.store, key), keys)) == data
    assert set(rig.store.keys()) == set(keys)


def test_one_source_from_several_threads(rig: Rig) -> None:
    key, data = new_key(), pattern(PART)
    put(rig.store, key, data)
    source = rig.store.open(key)
    step = PART // 16
    with ThreadPoolExecutor(4) as threads:
        blocks = list(threads.map(lambda start: source.read(start, step), range(0, PART, step)))
    source.close()
    assert b"".join(blocks) == data


def test_memory_is_constant(rig: Rig) -> None:
    key, block = new_key(), pattern(1 << 20)
    put(rig.store, new_key(), b"what is imported and opened once")
    tracemalloc.start()
    try:
        sink = rig.store.create(key)
        for _ in range(40):
            sink.write(block)
        sink.commit()
        written = tracemalloc.get_traced_memory()[1]
        tracemalloc.reset_peak()
        digest, source = hashlib.sha256(), rig.store.open(key)
        for start in range(0, source.size, 1 << 20):
            digest.update(source.read(start, 1 << 20))
        source.close()
        read = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert digest.digest() == hashlib.sha256(block * 40).digest()
    assert written < 2 * PART + (3 << 20)
    assert read < PART


def test_how_a_store_names_data(rig: Rig) -> None:
    key = new_key()
    put(rig.store, key, b"data")
    path = rig.store.path(key)
    assert path is None or path.read_bytes() == b"data"
    assert f"{key.image_id}.{key.key}" in rig.store.url(key)
    assert rig.store.url(key).partition("://")[0] in ("file", "s3")
    assert not rig.store.read_only
    for shown in (rig.store.url(key), str(rig.store.properties())):
        assert not any(secret in shown for secret in rig.secrets)
