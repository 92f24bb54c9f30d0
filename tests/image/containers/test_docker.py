"""A docker archive is an archive with a list of layers; it has no disk."""

import gzip

import pytest
from tests.image.containers.packages import examine, header, member, tar
from tests.image.formats import disks
from tests.image.formats.disks import patched

from pileus.image.formats import FormatRefused

SAVED = tar(
    header(b"blobs/", kind=b"5"),
    member("blobs/layer", b"x" * 700),
    header(b"blobs/again", kind=b"2", target=b"../blobs/layer"),
    member("manifest.json", b"[]"),
)


@pytest.mark.parametrize("data", [SAVED, gzip.compress(SAVED), tar(member("oci-layout", b"{}"))])
@pytest.mark.parametrize("step", [1, 700, 10**9])
def test_an_archive_of_layers_is_taken(data: bytes, step: int) -> None:
    assert examine(data, "docker", "raw", step=step).virtual_size is None


HOSTILE = {
    "no list": (tar(member("blobs/layer", b"x")), "no list of its layers"),
    "list is a link": (tar(header(b"manifest.json", kind=b"2", target=b"/etc/passwd")), "no list of its layers"),
    "path up": (tar(member("../manifest.json", b"")), "is not allowed"),
    "device": (tar(header(b"manifest.json", kind=b"3")), "member of the kind"),
    "cut off": (SAVED[:1000], "cut off"),
    "gzip cut off": (gzip.compress(SAVED)[:-3], "cut off"),
    "no archive": (b"hello", "cut off"),
    "a disk": (disks.qcow2(), "no POSIX tar"),
    "many members": (tar(*(header(f"f{n}".encode()) for n in range(4097))), "more than 4096 members"),
    "an ISO too": (
        tar(member("manifest.json", patched(b"", 32768 - 512, disks.iso()[32768:]))),
        r"docker archive is at once a disk \(iso\)",
    ),
}


@pytest.mark.parametrize(("data", "reason"), HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_archive_is_refused(data: bytes, reason: str) -> None:
    with pytest.raises(FormatRefused, match=reason):
        examine(data, "docker", "raw")


def test_layers_are_no_disk_format() -> None:
    with pytest.raises(FormatRefused, match="declare it as 'raw'"):
        examine(SAVED, "docker", "qcow2")
