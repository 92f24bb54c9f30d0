"""What the strict reader takes, the standard library's reader understands in the same way."""

import io
import os
import tarfile

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.image.containers.packages import header, pax, tar

from pileus.image.containers.tar import TarReader
from pileus.image.containers.tar_header import FILE, FOLDER, Member, TarRefused

FACTOR = int(os.environ.get("PILEUS_FUZZ", "1"))
KINDS = {
    tarfile.REGTYPE: FILE,
    tarfile.AREGTYPE: FILE,
    tarfile.DIRTYPE: FOLDER,
    tarfile.LNKTYPE: b"1",
    tarfile.SYMTYPE: b"2",
}
NAMES = st.sampled_from(
    [b"a", b"b/c", b"../a", b"/a", b"a/", b"a//b", b"a/./b", b"x" * 100, b"\xc3\xa4", b"a\0b", b".", b""]
)
RECORDS = st.dictionaries(
    st.sampled_from(["path", "size", "linkpath", "mtime", "comment", "GNU__sparse__size", "hdrcharset"]),
    st.sampled_from(["a", "b/c", "../x", "7", "600", "-1", "1.5", "ä", " a", "a/"]),
    max_size=2,
)


SOUND = st.sampled_from([b"a", b"b/c", b"x" * 90, b"\xc3\xa4"])
ODDITIES = ["", "", "names", "kinds", "records", "prefixes", "bits"]


@st.composite
def archives(draw: st.DrawFn) -> bytes:
    """Sound members, of which one thing may be odd: names, kinds, sizes, extended headers, or single bits."""
    odd = draw(st.sampled_from(ODDITIES))
    members = []
    for number in range(draw(st.integers(1, 4))):
        records = draw(
            RECORDS if odd == "records" else st.sampled_from([{}, {"path": f"long{number}", "mtime": "1.5"}])
        )
        if records:
            members.append(pax(**records))
        size = draw(st.sampled_from([0, 1, 7, 511, 512, 600]))
        kind = draw(st.sampled_from([b"0", b"\0", b"5", b"1", b"2", b"3", b"7"] if odd == "kinds" else [b"0", b"\0"]))
        name = draw(NAMES if odd == "names" else SOUND) + b"%d" % number
        magic = draw(st.sampled_from([b"ustar\x0000", b"ustar  \0"]))
        prefix = draw(st.sampled_from([b"p", b"p/q", b".."])) if odd == "prefixes" else b""
        members.append(header(name[:100], size, kind=kind, magic=magic, prefix=prefix, target=draw(SOUND)))
        members.append(b"d" * size + bytes(-size % 512))
    data = bytearray(tar(*members))
    for at in draw(st.lists(st.integers(0, len(data) - 1), max_size=2)) if odd == "bits" else []:
        data[at] ^= 1 << draw(st.integers(0, 7))
    return bytes(data)


class Listing:
    """A visitor that notes all."""

    def __init__(self) -> None:
        self.members: list[tuple[str, bytes, bytes]] = []
        self._member = Member("", b"", 0, "")
        self._data = b""

    def begin(self, member: Member) -> None:
        self._member, self._data = member, b""

    def data(self, block: bytes) -> None:
        self._data += block

    def end(self) -> None:
        self.members.append((self._member.name.rstrip("/"), self._member.kind, self._data))


def ours(data: bytes, step: int) -> list[tuple[str, bytes, bytes]] | str:
    listing = Listing()
    reader = TarReader(listing, 100)
    try:
        for at in range(0, len(data), step):
            reader.feed(data[at : at + step])
        reader.finish()
    except TarRefused as error:
        return str(error)
    return listing.members


def theirs(data: bytes) -> list[tuple[str, bytes, bytes]]:
    found = []
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        for info in archive:
            file = archive.extractfile(info) if info.isreg() else None
            found.append((info.name.rstrip("/"), KINDS[info.type], file.read() if file is not None else b""))
    return found


@settings(
    max_examples=300 * FACTOR,
    deadline=None,
    derandomize=FACTOR == 1,
    database=None,
    suppress_health_check=list(HealthCheck),
)
@given(data=archives(), step=st.sampled_from([1, 100, 512, 10**6]))
def test_both_readers_agree(data: bytes, step: int) -> None:
    found = ours(data, step)
    assert ours(data, 4096) == found
    if not isinstance(found, str):
        assert theirs(data) == found


def test_the_fuzzer_makes_archives_that_are_taken() -> None:
    assert ours(tar(header(b"a", kind=b"5"), pax(path="ä"), header(b"x", 1), b"d".ljust(512, b"\0")), 7) == theirs(
        tar(header(b"a", kind=b"5"), pax(path="ä"), header(b"x", 1), b"d".ljust(512, b"\0"))
    )
