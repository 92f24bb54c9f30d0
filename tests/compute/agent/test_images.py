"""The base-image cache: one download, verified, nothing left of a failed one."""

import errno
import hashlib
import io
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest

from pileus.compute.agent import arrival
from pileus.compute.agent.arrival import Interrupted
from pileus.compute.agent.images import MARGIN, BaseImages, disk_format
from pileus.compute.drivers.base import GuestFailed, ImageRef
from pileus.image.formats import qemu_img

DATA = os.urandom(3 * 1024 * 1024 - 1) + b"!"  # tests change the last byte
IMAGE = ImageRef("0f4a8a3c-9c0b-4a3e-8a55-1f1f6c1d2b3a", "raw", len(DATA), hashlib.sha512(DATA).hexdigest())
OTHER = msgspec.structs.replace(IMAGE, id="1f4a8a3c-9c0b-4a3e-8a55-1f1f6c1d2b3a")
THIRD = msgspec.structs.replace(IMAGE, id="2f4a8a3c-9c0b-4a3e-8a55-1f1f6c1d2b3a")
UNHASHED = msgspec.structs.replace(IMAGE, hash_value="", hash_algorithm="")


class Store:
    """Hands out `data` in pieces and notes from where it was asked to; each of `cuts` ends one answer at that byte."""

    def __init__(self, data: bytes = DATA, cuts: tuple[int, ...] = ()) -> None:
        self.data = data
        self.cuts = list(cuts)
        self.asked: list[int] = []

    def fetch(self, image_id: str, start: int) -> Iterator[bytes]:
        self.asked.append(start)
        time.sleep(0.05)
        end = self.cuts.pop(0) if self.cuts else None
        for at in range(start, len(self.data) if end is None else end, 65536):
            yield self.data[at : min(at + 65536, end or len(self.data))]
        if end is not None:
            raise Interrupted(f"cut at {end}")


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrival, "PAUSES", (0.0, 0.01, 0.01))


def test_the_file_is_whole_and_read_only(tmp_path: Path) -> None:
    store = Store()
    path = BaseImages(tmp_path / "base", store.fetch).ensure(IMAGE)
    assert path.read_bytes() == DATA
    assert path.stat().st_mode & 0o777 == 0o444
    assert path.parent.stat().st_mode & 0o777 == 0o711


def test_many_threads_are_one_download(tmp_path: Path) -> None:
    store = Store()
    images = BaseImages(tmp_path, store.fetch)
    with ThreadPoolExecutor(20) as threads:
        paths = set(threads.map(images.ensure, [IMAGE] * 20))
    assert (len(paths), store.asked) == (1, [0])


def test_many_threads_share_one_failure(tmp_path: Path) -> None:
    store = Store(DATA[:-1])
    images = BaseImages(tmp_path, store.fetch)
    started = threading.Barrier(20, timeout=10)

    def boot() -> str:
        started.wait()
        with pytest.raises(GuestFailed) as failed:
            images.ensure(IMAGE)
        return failed.value.message

    with ThreadPoolExecutor(20) as threads:
        said = {future.result() for future in [threads.submit(boot) for _ in range(20)]}
    assert (len(said), store.asked) == (1, [0])
    assert list(tmp_path.iterdir()) == []


def test_who_knows_the_hash_does_not_take_what_was_fetched_without_it(tmp_path: Path) -> None:
    store, waiting = Store(DATA[:-1] + b"?"), threading.Event()

    def fetch(image_id: str, start: int) -> Iterator[bytes]:
        assert waiting.wait(10)
        yield from store.fetch(image_id, start)

    images = BaseImages(tmp_path, fetch)
    with ThreadPoolExecutor(2) as threads:
        careless = threads.submit(images.ensure, UNHASHED)
        while not images._coming:
            time.sleep(0.001)
        careful = threads.submit(images.ensure, IMAGE)
        time.sleep(0.05)
        waiting.set()
        assert careless.result().exists()
        with pytest.raises(GuestFailed, match="does not match"):
            careful.result()
    assert store.asked == [0, 0]


def test_images_do_not_wait_for_each_other(tmp_path: Path) -> None:
    both_in = threading.Barrier(2, timeout=10)

    def fetch(image_id: str, start: int) -> Iterator[bytes]:
        both_in.wait()
        yield DATA

    images = BaseImages(tmp_path, fetch)
    with ThreadPoolExecutor(2) as threads:
        assert len(set(threads.map(images.ensure, [IMAGE, OTHER]))) == 2


def test_another_agent_finds_it(tmp_path: Path) -> None:
    BaseImages(tmp_path, Store().fetch).ensure(IMAGE)
    store = Store()
    BaseImages(tmp_path, store.fetch).ensure(IMAGE)
    assert store.asked == []


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

    def fetch(image_id: str, start: int) -> Iterator[bytes]:
        if not store.asked:
            store.asked.append(-1)
            yield DATA[:1000]
            raise RuntimeError
        yield from store.fetch(image_id, start)

    images = BaseImages(tmp_path, fetch)
    with pytest.raises(RuntimeError):
        images.ensure(IMAGE)
    assert list(tmp_path.iterdir()) == []
    assert images.ensure(IMAGE).read_bytes() == DATA


def test_a_cut_download_goes_on_where_it_was(tmp_path: Path) -> None:
    store = Store(cuts=(1_500_000, 1_500_000, 2_900_000))
    assert BaseImages(tmp_path, store.fetch).ensure(IMAGE).read_bytes() == DATA
    assert store.asked == [0, 1_500_000, 1_500_000, 2_900_000]


def test_no_news_for_long_is_the_end(tmp_path: Path) -> None:
    store = Store(cuts=(5, *(6, 7, 8, 9, 10)))
    with pytest.raises(GuestFailed, match="could not be downloaded") as failed:
        BaseImages(tmp_path, store.fetch).ensure(IMAGE)
    assert (failed.value.permanent, failed.value.detail) == (False, "cut at 8")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("algorithm", ["sha256", "sha384", "sha3_512", "blake2b", "md5"])
def test_other_hashes_are_checked_too(tmp_path: Path, algorithm: str) -> None:
    digest = hashlib.new(algorithm, DATA).hexdigest()
    ref = msgspec.structs.replace(IMAGE, hash_algorithm=algorithm, hash_value=digest.upper())
    assert BaseImages(tmp_path, Store().fetch).ensure(ref).read_bytes() == DATA
    with pytest.raises(GuestFailed, match="does not match"):
        BaseImages(tmp_path / "other", Store(DATA[:-1] + b"?").fetch).ensure(ref)


@pytest.mark.parametrize("algorithm", ["nonesuch", "shake_128"])
def test_an_unknown_hash_is_not_taken_for_none(tmp_path: Path, algorithm: str) -> None:
    store = Store()
    with pytest.raises(GuestFailed, match="cannot check") as failed:
        BaseImages(tmp_path, store.fetch).ensure(msgspec.structs.replace(IMAGE, hash_algorithm=algorithm))
    assert (failed.value.permanent, store.asked) == (True, [])


def test_without_a_hash_size_and_format_are_checked(tmp_path: Path) -> None:
    store = Store()
    images = BaseImages(tmp_path, store.fetch)
    path = images.ensure(UNHASHED)
    assert path.name == f"{IMAGE.id}.{IMAGE.hash_value[:16]}"  # so that it is the same file once the hash is known
    assert images.ensure(UNHASHED) == images.ensure(IMAGE) == path
    assert images.ensure(msgspec.structs.replace(UNHASHED, size=0)) == path
    assert store.asked == [0]
    with pytest.raises(GuestFailed, match="does not match"):
        BaseImages(tmp_path / "short", Store(DATA[:-1]).fetch).ensure(UNHASHED)


def hashed(ref: ImageRef, data: bytes, disk_format: str) -> ImageRef:
    digest = hashlib.sha512(data).hexdigest()
    return msgspec.structs.replace(ref, size=len(data), hash_value=digest, disk_format=disk_format)


@pytest.mark.parametrize("declared", ["raw", "ami", "iso", "vmdk"])
def test_an_image_is_what_its_bytes_say(tmp_path: Path, declared: str) -> None:
    qemu_img.create(tmp_path / "disk", "qcow2", 1 << 20)
    data = (tmp_path / "disk").read_bytes()
    images = BaseImages(tmp_path / "base", Store(data).fetch)
    with pytest.raises(GuestFailed, match="declared as") as failed:
        images.ensure(hashed(IMAGE, data, declared))
    assert failed.value.permanent
    assert list((tmp_path / "base").iterdir()) == []
    assert images.ensure(hashed(IMAGE, data, "qcow2")).read_bytes() == data


def test_a_backing_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(bytes(1 << 20))
    qemu_img.create_overlay(tmp_path / "disk", tmp_path / "secret", "raw", 1 << 20)
    data = (tmp_path / "disk").read_bytes()
    with pytest.raises(GuestFailed, match="backing"):
        BaseImages(tmp_path / "base", Store(data).fetch).ensure(hashed(IMAGE, data, "qcow2"))


@pytest.mark.parametrize("kind", ["vmdk", "vdi", "vhd", "vhdx"])
def test_formats_of_others_become_qcow2_once(tmp_path: Path, kind: str) -> None:
    content = os.urandom(1 << 16) + bytes(2 << 20)
    (tmp_path / "disk.raw").write_bytes(content)
    qemu_img.convert(tmp_path / "disk.raw", "raw", tmp_path / "disk", kind)
    data = (tmp_path / "disk").read_bytes()
    ref, store = hashed(IMAGE, data, kind), Store(data)
    for images in (BaseImages(tmp_path / "base", store.fetch), BaseImages(tmp_path / "base", store.fetch)):
        path = images.ensure(ref)
    assert (disk_format(ref), store.asked) == ("qcow2", [0])
    assert [file.name for file in path.parent.iterdir()] == [path.name]
    assert path.stat().st_mode & 0o777 == 0o444
    qemu_img.convert(path, "qcow2", tmp_path / "back.raw", "raw")
    assert (tmp_path / "back.raw").read_bytes()[: len(content)] == content
    assert BaseImages(tmp_path / "base", store.fetch).evict(set(), 0, 0) == []  # it may be about to be used
    long_ago(path)
    assert BaseImages(tmp_path / "base", store.fetch).evict(set(), 0, 0) == [ref.id]


def test_a_conversion_keeps_to_the_room_that_there_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A small file may hold a large disk."""
    (tmp_path / "disk.raw").write_bytes(b"x" * (8 << 20))
    options = ("-o", "subformat=streamOptimized")
    command = ("qemu-img", "convert", "-f", "raw", "-O", "vmdk", *options, tmp_path / "disk.raw", tmp_path / "disk")
    subprocess.run(command, check=True)
    data = (tmp_path / "disk").read_bytes()
    assert len(data) < 1 << 20
    images = BaseImages(tmp_path / "base", Store(data).fetch, min_free=1 << 20)
    with monkeypatch.context() as patch:
        patch.setattr(images, "_free", lambda: 5 << 20)
        with pytest.raises(GuestFailed, match="no room") as failed:
            images.ensure(hashed(IMAGE, data, "vmdk"))
    assert not failed.value.permanent
    assert list((tmp_path / "base").iterdir()) == []
    assert images.ensure(hashed(IMAGE, data, "vmdk")).stat().st_size > 8 << 20


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"disk_format": "ploop"}, "format ploop"),
        ({"disk_format": "ari"}, "format ari"),
        ({"container_format": "ova"}, "container of format ova"),
        ({"container_format": "compressed"}, "container of format compressed"),
    ],
)
def test_what_no_guest_can_start_from_is_not_fetched(tmp_path: Path, changes: dict[str, str], message: str) -> None:
    store = Store()
    with pytest.raises(GuestFailed, match=message) as failed:
        BaseImages(tmp_path, store.fetch).ensure(msgspec.structs.replace(IMAGE, **changes))
    assert (failed.value.permanent, store.asked) == (True, [])


def test_zeros_take_no_room(tmp_path: Path) -> None:
    data = bytes(8 << 20) + DATA + bytes(8 << 20)
    path = BaseImages(tmp_path, Store(data).fetch).ensure(hashed(IMAGE, data, "raw"))
    assert path.read_bytes() == data
    assert path.stat().st_blocks * 512 < len(DATA) + (1 << 20)


def test_a_full_disk_is_said_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Full(io.BytesIO):
        def write(self, data: object, /) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

    def opened(path: Path, mode: str) -> io.BytesIO:
        path.touch()
        return Full()

    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", opened)
        with pytest.raises(GuestFailed, match="no room"):
            BaseImages(tmp_path, Store().fetch).ensure(IMAGE)
    assert list(tmp_path.iterdir()) == []
    assert BaseImages(tmp_path, Store().fetch).ensure(IMAGE).exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="a small file system needs root to be mounted")
@pytest.mark.parametrize("known", [True, False], ids=["size known", "size unknown"])
def test_a_really_full_disk(tmp_path: Path, known: bool) -> None:
    """In a child with a mount namespace of its own, so that nothing has to be unmounted."""
    program = (
        "import sys; from pathlib import Path\n"
        "from tests.compute.agent.test_images import *\n"
        f"ref = IMAGE if {known} else msgspec.structs.replace(UNHASHED, size=0)\n"
        "folder = Path(sys.argv[1])\n"
        "try: BaseImages(folder, Store().fetch).ensure(ref)\n"
        "except GuestFailed as failed: print(failed.message, list(folder.iterdir()))\n"
    )
    mount = f'mount -t tmpfs -o size=2m none "{tmp_path}" && exec "$@"'
    python = (os.path.realpath("/proc/self/exe"), "-c", program, str(tmp_path))
    done = subprocess.run(
        ("unshare", "--mount", "sh", "-c", mount, "sh", *python),
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stdout == "The host has no room for the image. []\n", done.stderr


def test_what_a_killed_agent_left_is_removed(tmp_path: Path) -> None:
    (tmp_path / f"{IMAGE.id}.part").write_bytes(b"half")
    BaseImages(tmp_path, Store().fetch)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("bad", ["../../etc/passwd", "x/y", ""])
def test_an_id_that_is_no_id_names_no_file(tmp_path: Path, bad: str) -> None:
    with pytest.raises(ValueError, match="no valid id"):
        BaseImages(tmp_path, Store().fetch).ensure(msgspec.structs.replace(IMAGE, id=bad))


@pytest.mark.parametrize("bad", ["../../../x" + "0" * 118, "0" * 64, ""])
def test_a_hash_that_is_no_hash_names_no_file(tmp_path: Path, bad: str) -> None:
    with pytest.raises(ValueError, match="no valid sha512"):
        BaseImages(tmp_path, Store().fetch).ensure(msgspec.structs.replace(IMAGE, hash_value=bad))


def long_ago(path: Path, seconds: float = 3600) -> None:
    then = time.time() - seconds
    os.utime(path, (then, then))


def test_evict_takes_the_old_and_then_the_longest_unused(tmp_path: Path) -> None:
    images = BaseImages(tmp_path, Store().fetch)
    old, new = images.ensure(IMAGE), images.ensure(OTHER)
    long_ago(old)
    assert images.evict({IMAGE.id, OTHER.id}, max_bytes=0, max_age=0) == []
    assert images.evict(set(), max_bytes=1 << 40, max_age=7200) == []
    assert images.evict(set(), max_bytes=len(DATA) * 3 // 2, max_age=7200) == [IMAGE.id]
    assert (old.exists(), new.exists()) == (False, True)
    images.ensure(IMAGE)
    long_ago(old)
    assert images.evict(set(), max_bytes=1 << 40, max_age=60) == [IMAGE.id]


def test_images_in_use_do_not_count(tmp_path: Path) -> None:
    images = BaseImages(tmp_path, Store().fetch)
    for ref in (IMAGE, OTHER):
        long_ago(images.ensure(ref))
    assert images.evict({IMAGE.id}, max_bytes=len(DATA) * 3 // 2, max_age=7200) == []


def test_being_asked_for_makes_it_new(tmp_path: Path) -> None:
    images = BaseImages(tmp_path, Store().fetch)
    long_ago(images.ensure(IMAGE), 5000)
    long_ago(images.ensure(OTHER), 4000)
    images.ensure(IMAGE)
    assert images.evict(set(), max_bytes=0, max_age=7200) == [OTHER.id]


def test_what_may_have_come_into_use_since_the_list_stays(tmp_path: Path) -> None:
    images = BaseImages(tmp_path, Store().fetch)
    path = images.ensure(IMAGE)
    long_ago(path, MARGIN - 5)
    assert images.evict(set(), max_bytes=0, max_age=0) == []
    long_ago(path, MARGIN + 5)
    assert images.evict(set(), max_bytes=0, max_age=0) == [IMAGE.id]


def test_eviction_never_takes_what_is_being_booted(tmp_path: Path) -> None:
    """Boots of images that the control plane's list does not have yet, while another thread evicts all it may."""
    images = BaseImages(tmp_path, Store(DATA[:4096]).fetch)
    refs = [hashed(ref, DATA[:4096], "raw") for ref in (IMAGE, OTHER, THIRD)]
    over = threading.Event()

    def evict() -> int:
        rounds = 0
        while not over.is_set():
            images.evict(set(), max_bytes=0, max_age=0)
            rounds += 1
        return rounds

    with ThreadPoolExecutor(7) as threads:
        evicting = threads.submit(evict)
        for _ in range(10):
            for ref in refs:
                path = images.ensure(ref)
                long_ago(path)
            paths = list(threads.map(images.ensure, refs * 2))
            assert all(path.exists() for path in paths)
        over.set()
        assert evicting.result() > 10


class Disk:
    """A file system of `size` bytes that holds nothing but the images."""

    def __init__(self, images: BaseImages, size: int) -> None:
        self.images, self.size = images, size

    def free(self) -> int:
        return self.size - sum(file.stat().st_blocks * 512 for file in self.images.folder.iterdir())


def test_unused_images_make_room_and_the_floor_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    images = BaseImages(tmp_path, Store().fetch, min_free=1 << 20)
    monkeypatch.setattr(images, "_free", Disk(images, 2 * len(DATA) + (2 << 20)).free)
    first, second = images.ensure(IMAGE), images.ensure(OTHER)
    long_ago(first, 5000)
    long_ago(second, 4000)
    with pytest.raises(GuestFailed, match="no room"):  # nobody has said yet what is in use
        images.ensure(THIRD)
    assert images.evict({IMAGE.id}, max_bytes=1 << 40, max_age=1 << 20) == []
    third = images.ensure(THIRD)
    assert sorted(tmp_path.iterdir()) == sorted([first, third])
    with pytest.raises(GuestFailed, match="no room"):
        images.ensure(OTHER)
    assert first.exists()
    images.min_free = 4 << 20
    long_ago(third)
    assert images.evict({IMAGE.id}, max_bytes=1 << 40, max_age=1 << 20) == [THIRD.id]
