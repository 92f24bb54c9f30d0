"""Decompress a stream of unknown length in constant memory: gzip, bzip2, xz, zstd and zip, without falling for bombs."""

import bz2
import lzma
import sys
import zlib
from collections.abc import Callable
from typing import Protocol

from pileus.image.containers.zip import LOCAL, ZipDecoder
from pileus.image.formats import FormatRefused

PIECE = 32 * 1024  # compressed bytes given to a decoder at once: what follows a part's end is copied for each part
ROOM = 1024 * 1024  # unpacked bytes taken from a decoder at once
FREE = 1024**3  # unpacked bytes that are always allowed
RATIO = 250  # and so many more for each compressed one: a disk image that is this empty belongs into qcow2
WINDOW_LOG = 27  # zstd's own default for decoding: 128 MiB
XZ_MEMORY = 128 * 1024**2  # `xz -9` needs half of it
PARTS = 1000  # files may be put together from parts, but not from masses of tiny ones
PART_BYTES = 64
MARK_BYTES = 6


class Decoder(Protocol):
    """One part of a stream, with the surface that the standard library's decoders have."""

    @property
    def eof(self) -> bool: ...

    @property
    def needs_input(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: bytes, /, max_length: int = -1) -> bytes: ...


class GzipDecoder:
    """zlib's decoder with that surface."""

    def __init__(self) -> None:
        self._decoder = zlib.decompressobj(wbits=31)
        self._full = False  # there may be more to take out without putting more in

    @property
    def eof(self) -> bool:
        return self._decoder.eof

    @property
    def needs_input(self) -> bool:
        return not self._decoder.unconsumed_tail and not self.eof and not self._full

    @property
    def unused_data(self) -> bytes:
        return self._decoder.unused_data

    def decompress(self, data: bytes, /, max_length: int = -1) -> bytes:
        unpacked = self._decoder.decompress(self._decoder.unconsumed_tail + data, max_length)
        self._full = len(unpacked) == max_length
        return unpacked


def _zstd() -> Decoder:
    if sys.version_info >= (3, 14):
        from compression.zstd import DecompressionParameter, ZstdDecompressor
    else:
        from backports.zstd import DecompressionParameter, ZstdDecompressor
    return ZstdDecompressor(options={DecompressionParameter.window_log_max: WINDOW_LOG})


def _xz() -> Decoder:
    return lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=XZ_MEMORY)


MARKS: dict[bytes, Callable[[], Decoder]] = {
    b"\x1f\x8b": GzipDecoder,
    b"BZh": bz2.BZ2Decompressor,
    b"\xfd7zXZ\0": _xz,
    b"\x28\xb5\x2f\xfd": _zstd,
    LOCAL: ZipDecoder,
}


def decoder_of(start: bytes) -> Callable[[], Decoder] | None:
    """Who decodes a file that starts with these `MARK_BYTES`; None if it is not compressed."""
    return next((decoder for mark, decoder in MARKS.items() if start.startswith(mark)), None)


class Expander:
    """Gives what the compressed bytes unpack to, piece by piece, to `out`; `most` bounds it in bytes."""

    def __init__(self, out: Callable[[bytes], None], most: int | None) -> None:
        self.unpacked = 0
        self._out = out
        self._most = most
        self._packed = 0
        self._start = b""
        self._make: Callable[[], Decoder] | None = None
        self._decoder: Decoder | None = None
        self._parts = 0
        self._padded = False

    def feed(self, block: bytes) -> None:
        """Raises `FormatRefused`."""
        self._packed += len(block)
        if self._make is None:
            self._start += block
            if len(self._start) < MARK_BYTES:
                return
            block, self._start = self._start, b""
            self._make = decoder_of(block)
            if self._make is None:
                raise FormatRefused("The compressed image is refused: it is neither gzip, bzip2, xz, zstd nor zip.")
        for at in range(0, len(block), PIECE):
            self._expand(self._make, block[at : at + PIECE])

    def finish(self) -> None:
        """Raises `FormatRefused`."""
        if self._make is None or self._decoder is not None:
            raise FormatRefused("The compressed image is refused: it is cut off.")

    def _expand(self, make: Callable[[], Decoder], data: bytes) -> None:
        while data:
            if self._decoder is None:
                if not (data := self._between(data)):
                    return
                self._decoder = make()
            data = self._decode(self._decoder, data)

    def _between(self, data: bytes) -> bytes:
        """Behind a part there may be another, except in zip, or zeros up to the end."""
        if self._parts > 0:
            self._padded = self._padded or data.startswith(b"\0") or self._make is ZipDecoder
            if self._padded:
                if data.strip(b"\0"):
                    raise FormatRefused("The compressed image is refused: it goes on after its end.")
                return b""
        self._parts += 1
        if self._parts > PARTS and self._parts * PART_BYTES > self._packed:
            raise FormatRefused("The compressed image is refused: it is made of too many parts.")
        return data

    def _decode(self, decoder: Decoder, data: bytes) -> bytes:
        """Unpack one part's bytes; return those behind its end."""
        while True:
            try:
                unpacked = decoder.decompress(data, max_length=ROOM)
            except Exception as error:  # each decoder has an exception of its own
                raise FormatRefused(f"The compressed image is refused: {str(error)[:200]}.") from None
            data = b""
            if unpacked:
                self._take(unpacked)
            if decoder.eof:
                self._decoder = None
                return decoder.unused_data
            if decoder.needs_input:
                return b""

    def _take(self, unpacked: bytes) -> None:
        self.unpacked += len(unpacked)
        if self._most is not None and self.unpacked > self._most:
            raise FormatRefused(f"The compressed image is refused: it unpacks to more than {self._most} bytes.")
        if self.unpacked > FREE + RATIO * self._packed:
            raise FormatRefused(
                f"The compressed image is refused: it unpacks to more than {RATIO} times its length. "
                f"Convert so empty a disk to qcow2 before compressing it."
            )
        self._out(unpacked)
