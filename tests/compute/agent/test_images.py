"""The base-image cache: one download, verified, nothing left of a failed one."""

import hashlib
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import BinaryIO

import pytest

from pileus.compute.agent.images import BaseImages
from pileus.compute.drivers.base import GuestFailed, ImageRef

DATA = os.urandom(3 * 1024 * 1024)
IMAGE = ImageRef("0f4a8a3c-9c0b-4a3e-8a55-1f1f6c1d2b3a", "raw", len(DATA), hashlib.sha512(DATA).hexdigest())
OTHER = ImageRef("1f4a8a3c-9c0b-4a3e-8a55-1f1f6c1d2b3a", "raw", len(DATA), hashlib.sha512(DATA).hexdigest())


class Store:
    """Hands out `data` in pieces and counts how often."""

    def __init__(self, data: bytes = DATA) -> None:
        self.data = data
        self.count = 0

    def fetch(self, image_id: str, sink: BinaryIO) -> None:
        self.count += 1
        time.sleep(0.05)
        for at in range(0, len(self.data), 65536):
            sink.write(self.data[at : at + 65536])


def test_the_file_is_whole_and_read_only(tmp_path: Path) -> None:
    store = Store()
    path = BaseImages(tmp_path / "base", store.fetch).ensure(IMAGE)
    assert path.read_bytes() == DATA
    assert path.stat().st_mode & 0o777 == 0o444
    assert path.parent.stat().st_mode & 0o777 == 0o711


def test_many_threads_are_one_download(tmp_path: Path) -> None:
    store = Store()
    images = BaseImages(tmp_path, store.fetch)
    with ThreadPoolExecutor(8) as threads:
        paths = set(threads.map(images.ensure, [IMAGE] * 8))
    assert (len(paths), store.count) == (1, 1)


def test_images_do_not_wait_for_each_other(tmp_path: Path) -> None:
    both_in = threading.Barrier(2, timeout=10)

    def fetch(image_id: str, sink: BinaryIO) -> None:
        both_in.wait()
        sink.write(DATA)

    images = BaseImages(tmp_path, fetch)
    with ThreadPoolExecutor(2) as threads:
        assert len(set(threads.map(images.ensure, [IMAGE, OTHER]))) == 2


def test_another_agent_finds_it(tmp_path: Path) -> None:
    BaseImages(tmp_path, Store().fetch).ensure(IMAGE)
    store = Store()
    BaseImages(tmp_path, store.fetch).ensure(IMAGE)
    assert store.count == 0


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (DATA[:-1], "does not match"),
        (DATA[:-1] + b"?", "does not match"),
        (DATA + b"more", "longer than"),
        (b"", "does not match"),
    ],
    ids=["short", "altered", "long", "empty"],
)
def test_wrong_data_leaves_nothing(tmp_path: Path, data: bytes, message: str) -> None:
    images = BaseImages(tmp_path, Store(data).fetch)
    with pytest.raises(GuestFailed, match=message):
        images.ensure(IMAGE)
    assert list(tmp_path.iterdir()) == []


def test_a_broken_download_leaves_nothing_and_may_be_tried_again(tmp_path: Path) -> None:
    store = Store()

    def fetch(image_id: str, sink: BinaryIO) -> None:
        if store.count == 0:
            store.count = 1
            sink.write(DATA[:1000])
            raise ConnectionResetError
        store.fetch(image_id, sink)

    images = BaseImages(tmp_path, fetch)
    with pytest.raises(ConnectionResetError):
        images.ensure(IMAGE)
    assert list(tmp_path.iterdir()) == []
    assert images.ensure(IMAGE).read_bytes() == DATA


def test_what_a_killed_agent_left_is_removed(tmp_path: Path) -> None:
    (tmp_path / f"{IMAGE.id}.0123456789abcdef.part").write_bytes(b"half")
    BaseImages(tmp_path, Store().fetch)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("bad", ["../../etc/passwd", "x/y", ""])
def test_an_id_that_is_no_id_names_no_file(tmp_path: Path, bad: str) -> None:
    with pytest.raises(ValueError, match="no valid id"):
        BaseImages(tmp_path, Store().fetch).ensure(ImageRef(bad, "raw", 1, "0" * 128))


def test_evict_takes_the_old_and_then_the_longest_unused(tmp_path: Path) -> None:
    images = BaseImages(tmp_path, Store().fetch)
    old, new = images.ensure(IMAGE), images.ensure(OTHER)
    hour_ago = time.time() - 3600
    os.utime(old, (hour_ago, hour_ago))
    assert images.evict({IMAGE.id, OTHER.id}, max_bytes=0, max_age=0) == []
    assert images.evict(set(), max_bytes=1 << 40, max_age=7200) == []
    assert images.evict(set(), max_bytes=len(DATA) * 3 // 2, max_age=7200) == [IMAGE.id]
    assert (old.exists(), new.exists()) == (False, True)
    images.ensure(IMAGE)
    os.utime(old, (hour_ago, hour_ago))
    assert images.evict(set(), max_bytes=1 << 40, max_age=60) == [IMAGE.id]
