"""Zip archives of one file, read from front to end (PKWARE's APPNOTE.TXT 6.3).

Readers that start at the end of an archive could see another file in it: so what its directory says is held against
what came before, and nothing may be besides the one file.
"""

import struct
import zlib
from typing import NamedTuple

LOCAL, CENTRAL, END, END64, LOCATOR64 = b"PK\3\4", b"PK\1\2", b"PK\5\6", b"PK\6\6", b"PK\6\7"
DESCRIPTOR = b"PK\7\x08"
STORED, DEFLATED = 0, 8
SIZES_FOLLOW = 1 << 3
HARMLESS = SIZES_FOLLOW | 1 << 1 | 1 << 2 | 1 << 11  # how well it is compressed, UTF-8 in the name
ELSEWHERE = 0xFFFFFFFF  # the number is in a field of 64 bits
TAIL_BYTES = 128 * 1024  # more than names, extra fields and comments take


class Central(NamedTuple):
    """The file's entry in the directory at the end, up to its name."""

    flags: int
    method: int
    time: int
    crc: int
    packed: int
    size: int
    name_bytes: int
    extra_bytes: int
    comment_bytes: int
    disk: int
    attributes: int
    further_attributes: int
    at: int


class ZipDecoder:
    """Has the surface of the standard library's decoders. Raises ValueError and zlib.error."""

    def __init__(self) -> None:
        self.eof = False
        self.needs_input = True
        self.unused_data = b""
        self._buffer = b""
        self._name: bytes | None = None  # known once the local header has been read
        self._flags = 0
        self._method = DEFLATED
        self._start = 0  # of its data
        self._inflate = zlib.decompressobj(wbits=-15)
        self._stored = 0  # bytes to come of a file that is not compressed
        self._ended = False
        self._crc = self._size = self._packed = 0

    def decompress(self, data: bytes, /, max_length: int = -1) -> bytes:
        """Take `data` in; give at most `max_length` bytes of the file out."""
        self._buffer += data
        self.needs_input = True
        if self._name is None and not self._read_header():
            return b""
        unpacked = b"" if self._ended else self._unpack(max_length)
        if self._ended:
            self._read_tail()
        return unpacked

    def _read_header(self) -> bool:
        if len(self._buffer) < 30:
            return False
        flags, method, _time, _crc, packed, size, name_bytes, extra_bytes = struct.unpack_from(
            "<HHIIIIHH", self._buffer, 6
        )
        start = 30 + name_bytes + extra_bytes
        if len(self._buffer) < start:
            return False
        known = method == DEFLATED or (method == STORED and not flags & SIZES_FOLLOW and packed == size != ELSEWHERE)
        if flags & ~HARMLESS or not known:
            raise ValueError("the file in the zip archive is encrypted, or compressed in an unusual way")
        self._name, self._flags, self._method = self._buffer[30 : 30 + name_bytes], flags, method
        self._stored, self._start = size, start
        self._buffer = self._buffer[start:]
        self._ended = method == STORED and size == 0
        return True

    def _unpack(self, most: int) -> bytes:
        if self._method == STORED:
            unpacked = self._buffer[: min(self._stored, most)]
            self._stored -= len(unpacked)
            self._packed += len(unpacked)
            self._buffer = self._buffer[len(unpacked) :]
            self._ended = self._stored == 0
            self.needs_input = not self._buffer
        else:
            before = len(self._buffer)
            unpacked = self._inflate.decompress(self._buffer, most)
            self._ended = self._inflate.eof
            self._buffer = self._inflate.unused_data if self._ended else self._inflate.unconsumed_tail
            self._packed += before - len(self._buffer)
            self.needs_input = not self._buffer and len(unpacked) != most
        self._crc = zlib.crc32(unpacked, self._crc)
        self._size += len(unpacked)
        return unpacked

    def _read_tail(self) -> None:
        """Descriptor, directory of one entry, ends: all must be there, one behind the other."""
        self.needs_input = True
        if len(self._buffer) > TAIL_BYTES:
            raise ValueError("the zip archive has more than one file")
        try:
            start = self._read_descriptor()
            end = self._read_central(start)
            at = self._read_ends(start, end)
        except struct.error:  # more has to come
            return
        if len(self._buffer) >= at:
            self.eof, self.needs_input = True, False
            self.unused_data, self._buffer = self._buffer[at:], b""

    def _read_ends(self, start: int, end: int) -> int:
        """The ends say where the directory is, `start` to `end` in the buffer; readers from behind go by that."""
        directory = (1, 1, end - start, self._start + self._packed + start)
        at = end
        if large := self._buffer.startswith(END64, at):
            length, *said = struct.unpack_from("<Q12x4Q", self._buffer, at + 4)
            if length != 44 or tuple(said) != directory:
                raise ValueError("the zip archive is damaged, or has more than one file")
            at += 56
            self._expect(LOCATOR64, at)
            (place,) = struct.unpack_from("<Q", self._buffer, at + 8)
            if place != directory[3] + directory[2]:
                raise ValueError("the zip archive is damaged, or has more than one file")
            at += 20
        self._expect(END, at)
        *said, comment_bytes = struct.unpack_from("<HHIIH", self._buffer, at + 8)
        for number, right, unknown in zip(said, directory, (0xFFFF, 0xFFFF, ELSEWHERE, ELSEWHERE), strict=True):
            if number != right and not (large and number == unknown):
                raise ValueError("the zip archive is damaged, or has more than one file")
        return at + 22 + int(comment_bytes)

    def _read_descriptor(self) -> int:
        if not self._flags & SIZES_FOLLOW:
            return 0
        struct.unpack_from("24x4x", self._buffer)  # the longest form, and the mark of the directory
        for layout in ("<III", "<IQQ"):
            if layout == "<III" and max(self._packed, self._size) >= ELSEWHERE:
                continue
            numbers = struct.pack(layout, self._crc, self._packed, self._size)
            for form in (DESCRIPTOR + numbers, numbers):
                if self._buffer.startswith(form + CENTRAL):
                    return len(form)
        raise ValueError("the zip archive is damaged, or has more than one file")

    def _read_central(self, at: int) -> int:
        self._expect(CENTRAL, at)
        entry = Central._make(struct.unpack_from("<HHIIIIHHHHHII", self._buffer, at + 8))
        name = self._buffer[at + 46 : at + 46 + entry.name_bytes]
        end = at + 46 + entry.name_bytes + entry.extra_bytes + entry.comment_bytes
        struct.unpack_from("4x", self._buffer, end)
        ours = (self._flags, self._crc, self._method, self._name, 0)
        sizes = entry.packed in (self._packed, ELSEWHERE) and entry.size in (self._size, ELSEWHERE)
        if not sizes or (entry.flags, entry.crc, entry.method, name, entry.at) != ours:
            raise ValueError("the zip archive's directory is not about the file in it")
        return end

    def _expect(self, mark: bytes, at: int) -> None:
        (found,) = struct.unpack_from("4s", self._buffer, at)
        if found != mark:
            raise ValueError("the zip archive is damaged, or has more than one file")
