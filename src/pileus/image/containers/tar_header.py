"""One header of a tar archive (POSIX.1-2001, "pax Interchange Format", "ustar Interchange Format")."""

import re
from typing import NamedTuple

BLOCK = 512
NAME_BYTES = 255
EXTENDED_BYTES = 16 * 1024
FILE, HARD_LINK, SYMLINK, FOLDER, EXTENDED = b"0", b"1", b"2", b"5", b"x"
KINDS = frozenset({FILE, HARD_LINK, SYMLINK, FOLDER, EXTENDED})
POSIX, GNU = b"ustar\x0000", b"ustar  \0"
OCTAL = re.compile(rb"[ \0]*([0-7]*)[ \0]*")
RECORD = re.compile(rb"([1-9][0-9]{0,4}) ([^=\n]+)=")
SIZE = re.compile(r"[0-9]{1,19}", re.ASCII)


class TarRefused(Exception):
    """The archive is damaged, or has something that no image needs; the message completes "the archive is refused"."""


class Member(NamedTuple):
    """A member of the archive; `size` is the number of its bytes, `target` is what a link points to."""

    name: str
    kind: bytes
    size: int
    target: str


def read_header(header: bytes, records: dict[str, str]) -> Member:
    """What the 512 bytes say, after the `records` of the extended header before them. Raises `TarRefused`."""
    if header[257:265] not in (POSIX, GNU):
        raise TarRefused("it is no POSIX tar archive")
    blank = header[:148] + b" " * 8 + header[156:]
    if _number(header[148:156]) != sum(blank):
        raise TarRefused("a header's checksum is wrong")
    kind = FILE if header[156:157] == b"\0" else header[156:157]
    if kind not in KINDS:
        raise TarRefused(f"it has a member of the kind {kind!r}")
    name = _text(header[:100])
    if prefix := _text(header[345:500]):
        if header[257:265] == GNU:
            raise TarRefused("it uses GNU's extensions")
        name = f"{prefix}/{name}"
    size = _number(header[124:136])
    if kind == EXTENDED:
        return Member(name, kind, size, "")
    name = records.get("path", name)
    target = records.get("linkpath", _text(header[157:257]))
    if "size" in records:
        if not SIZE.fullmatch(records["size"]):
            raise TarRefused("a member's size is no number")
        size = int(records["size"])
    if kind != FILE and size:
        raise TarRefused(f"its member {name!r} is no file but has data")
    _check_name(name.removesuffix("/") if kind == FOLDER else name)
    return Member(name, kind, size, target)


def read_records(data: bytes) -> dict[str, str]:
    """The key-value pairs of an extended header. Raises `TarRefused`."""
    records: dict[str, str] = {}
    at = 0
    while at < len(data):
        start = RECORD.match(data, at)
        if start is None:
            raise TarRefused("an extended header is damaged")
        end = at + int(start[1])
        if end <= start.end() or end > len(data) or data[end - 1 : end] != b"\n":
            raise TarRefused("an extended header is damaged")
        key, value = _decoded(start[2]), _decoded(data[start.end() : end - 1])
        if key.startswith("GNU.sparse") or key in records:
            raise TarRefused(f"an extended header has {key[:80]!r} twice, or at all where it must not")
        records[key] = value
        at = end
    return records


def _number(field: bytes) -> int:
    """Octal digits, or with the first bit set GNU's binary form for what is larger."""
    if field[0] == 0x80:
        return int.from_bytes(field[1:], "big")
    octal = OCTAL.fullmatch(field)
    if octal is None:
        raise TarRefused("a header has a number that is none")
    return int(octal[1] or b"0", 8)


def _text(field: bytes) -> str:
    return _decoded(field.partition(b"\0")[0])


def _decoded(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        raise TarRefused("a name in it is not in UTF-8") from None


def _check_name(name: str) -> None:
    parts = name.split("/")
    sound = name.isprintable() and "\\" not in name and len(name.encode()) <= NAME_BYTES
    if not sound or any(part in ("", ".", "..") for part in parts):
        raise TarRefused(f"the name {name[:80]!r} of a member is not allowed")
