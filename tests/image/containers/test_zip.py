"""A zip archive is taken if it has one file, and its beginning and its end say the same of it."""

import io
import os
import zipfile

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.image.containers.packages import examine, zipped
from tests.image.formats import disks
from tests.image.formats.disks import MIB, patched

from pileus.image.formats import FormatRefused

FACTOR = int(os.environ.get("PILEUS_FUZZ", "1"))
DISK = disks.qcow2()


def several(*names: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            archive.writestr(name, DISK)
    return out.getvalue()


def commented() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("disk", DISK)
        archive.comment = b"a disk" * 1000
    return out.getvalue()


GOOD = {
    "deflated": zipped(DISK),
    "stored": zipped(DISK, method=zipfile.ZIP_STORED),
    "streamed": zipped(DISK, streamed=True),
    "named": zipped(DISK, name="a/b" * 3000),
    "commented": commented(),
}


@pytest.mark.parametrize("data", GOOD.values(), ids=GOOD)
@pytest.mark.parametrize("step", [11, 4096, 10**9])
def test_the_one_file_is_the_disk(data: bytes, step: int) -> None:
    assert examine(data, "compressed", "qcow2", step=step).virtual_size == MIB


def test_an_empty_file_is_an_empty_disk() -> None:
    for data in (zipped(b""), zipped(b"", method=zipfile.ZIP_STORED), zipped(b"", streamed=True)):
        assert examine(data, "compressed", "raw").virtual_size == 0


def test_an_archive_with_large_numbers_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """As for files beyond 4 GiB: numbers of 64 bits in extra fields, and an end of their own."""
    monkeypatch.setattr(zipfile, "ZIP64_LIMIT", 100)
    data = zipped(DISK, streamed=True)
    place = data.index(b"PK\6\6")
    assert examine(data, "compressed", "qcow2", step=7) == examine(GOOD["streamed"], "compressed", "qcow2")
    for at, new in ((4, b"\0"), (24, b"\2"), (48, b"\1"), (56 + 8, b"\1"), (56, b"?"), (76 + 12, b"\1")):
        with pytest.raises(FormatRefused, match="damaged, or has more than one file"):
            examine(patched(data, place + at, new), "compressed", "qcow2")


CENTRAL = GOOD["deflated"].index(b"PK\1\2")
END = GOOD["deflated"].index(b"PK\5\6")
HOSTILE = {
    "two files": (several("a", "b"), "more than one file"),
    "two archives": (GOOD["deflated"] + GOOD["deflated"], "goes on after its end"),
    "something behind": (GOOD["deflated"] + b"x", "goes on after its end"),
    "no directory": (GOOD["deflated"][:CENTRAL], "cut off"),
    "no end": (GOOD["deflated"][:END], "cut off"),
    "bzip2 inside": (zipped(DISK, method=zipfile.ZIP_BZIP2), "in an unusual way"),
    "encrypted": (patched(GOOD["deflated"], 6, b"\1"), "encrypted"),
    "stored without a size": (patched(GOOD["stored"], 6, b"\x08"), "in an unusual way"),
    "stored of two sizes": (patched(GOOD["stored"], 18, b"\5\0\0\0"), "in an unusual way"),
    "other checksum": (patched(GOOD["deflated"], CENTRAL + 16, b"oops"), "not about the file in it"),
    "other size": (patched(GOOD["deflated"], CENTRAL + 24, b"oops"), "not about the file in it"),
    "other packed size": (patched(GOOD["deflated"], CENTRAL + 20, b"oops"), "not about the file in it"),
    "other name": (patched(GOOD["deflated"], CENTRAL + 46, b"D"), "not about the file in it"),
    "other place": (patched(GOOD["deflated"], CENTRAL + 42, b"\1"), "not about the file in it"),
    "other method": (patched(GOOD["deflated"], CENTRAL + 10, b"\0"), "not about the file in it"),
    "patched data": (patched(GOOD["deflated"], 6, b"\x20"), "in an unusual way"),
    "other flags": (patched(GOOD["deflated"], CENTRAL + 8, b"\1"), "not about the file in it"),
    "directory elsewhere": (patched(GOOD["deflated"], END + 16, b"\0"), "more than one file"),
    "entries": (patched(GOOD["deflated"], END + 8, b"\2\0\2\0"), "more than one file"),
    "entries elsewhere": (patched(GOOD["deflated"], END + 8, b"\1\0\2\0"), "more than one file"),
    "something between": (GOOD["deflated"][:CENTRAL] + b"hide" + GOOD["deflated"][CENTRAL:], "damaged, or has more"),
    "something before the end": (GOOD["deflated"][:END] + b"hide" + GOOD["deflated"][END:], "damaged, or has more"),
    "other descriptor": (
        patched(GOOD["streamed"], GOOD["streamed"].index(b"PK\7\x08") + 4, b"oops"),
        "damaged, or has more",
    ),
    "endless second file": (GOOD["deflated"][:CENTRAL] + b"PK\3\4" + bytes(MIB), "more than one file"),
}


@pytest.mark.parametrize(("data", "reason"), HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_archive_is_refused(data: bytes, reason: str) -> None:
    with pytest.raises(FormatRefused, match=reason):
        examine(data, "compressed", "qcow2")
    with pytest.raises(FormatRefused, match=reason):
        examine(data, "compressed", "qcow2", step=10)


SMALL = {
    "deflated": zipped(b"data" * 100),
    "stored": zipped(b"data" * 100, method=zipfile.ZIP_STORED),
    "streamed": zipped(b"data" * 100, streamed=True),
}


@settings(
    max_examples=250 * FACTOR,
    deadline=None,
    derandomize=FACTOR == 1,
    database=None,
    suppress_health_check=list(HealthCheck),
)
@given(
    name=st.sampled_from(sorted(SMALL)),
    flips=st.lists(st.tuples(st.integers(0, 600), st.integers(0, 255)), max_size=3),
    step=st.sampled_from([1, 64, 10**9]),
)
def test_both_readers_agree(name: str, flips: list[tuple[int, int]], step: int) -> None:
    """The standard library's reader starts at the end."""
    data = bytearray(SMALL[name])
    for at, value in flips:
        data[at % len(data)] = value

    def outcome(step: int) -> str:
        try:
            return str(examine(bytes(data), "compressed", "raw", step=step))
        except FormatRefused as error:
            return str(error)

    assert outcome(step) == outcome(4096)
    if outcome(4096).startswith("Verdict"):
        try:
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                read = [archive.read(info) for info in archive.infolist()]
        except (zipfile.BadZipFile, NotImplementedError):  # a version of the format that the library does not know
            return
        assert read == [b"data" * 100]
