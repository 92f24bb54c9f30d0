"""Read which shared libraries a program wants: the little of ELF that an image recipe needs."""

import struct
from pathlib import Path

_LOAD, _DYNAMIC, _INTERPRETER = 1, 2, 3
_NEEDED, _STRING_TABLE = 1, 5


def needed(path: Path) -> list[str]:
    """Sonames that the ELF64 file at `path` links to, its interpreter's file name first; [] for other files.

    Source: System V ABI, ELF-64 object file format.
    """
    data = path.read_bytes()
    if data[:6] != b"\x7fELF\x02\x01":
        return []
    (table,) = struct.unpack_from("<Q", data, 32)
    size, count = struct.unpack_from("<HH", data, 54)
    headers = [struct.unpack_from("<IIQQQQ", data, table + index * size) for index in range(count)]
    segments = [(kind, offset, address, length) for kind, _, offset, address, _, length in headers]
    names = [_string(data, offset).rpartition("/")[2] for kind, offset, _, _ in segments if kind == _INTERPRETER]
    for kind, offset, _, length in segments:
        if kind == _DYNAMIC:
            entries = list(struct.iter_unpack("<QQ", data[offset : offset + length]))
            address = next(value for tag, value in entries if tag == _STRING_TABLE)
            strings = _file_offset(segments, address)
            names += [_string(data, strings + value) for tag, value in entries if tag == _NEEDED]
    return names


def _file_offset(segments: list[tuple[int, int, int, int]], address: int) -> int:
    for kind, offset, start, length in segments:
        if kind == _LOAD and start <= address < start + length:
            return offset + address - start
    raise ValueError(f"address {address:#x} is in no loaded segment")


def _string(data: bytes, offset: int) -> str:
    return data[offset : data.index(b"\0", offset)].decode()
