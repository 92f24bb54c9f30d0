"""Read chosen byte ranges of a file of any length while it streams past, in constant memory.

A parser is a generator: it yields the `Range` it wants next and is sent those bytes, fewer if the file is shorter.
Ranges inside the first `HEAD_BYTES` may be asked for in any order; behind that only forwards, because bytes that
have passed are gone. A parser that breaks this rule gets `Passed` thrown into it, whatever the size of the chunks.
"""

import sys
from collections.abc import Callable, Generator
from typing import NamedTuple

from pileus.image.formats.finding import Finding

HEAD_BYTES = 320 * 1024  # the last structure at a fixed place, VHDX's second region table, ends here
TAIL_BYTES = 1536  # the three sectors of a streamOptimized VMDK's footer
RANGE_BYTES = 128 * 1024  # the longest range a parser may ask for


class Range(NamedTuple):
    """Bytes `offset` to `offset + length` of the file."""

    offset: int
    length: int


END = Range(-1, TAIL_BYTES)
"""Yield this to wait for the end of the file: the last `TAIL_BYTES` are sent, and `Stream.size` is then final."""


class Passed(Exception):
    """The range that a parser asked for has gone by already, or is longer than `RANGE_BYTES`."""


class Stream:
    """What is kept of the file for all parsers: its first and last bytes, and its length so far in bytes."""

    def __init__(self) -> None:
        self.head = bytearray()
        self.tail = b""
        self.size = 0

    def append(self, chunk: bytes) -> None:
        """Note that `chunk` comes next in the file."""
        if len(self.head) < HEAD_BYTES:
            self.head += chunk[: HEAD_BYTES - len(self.head)]
        self.tail = (self.tail + chunk[-TAIL_BYTES:])[-TAIL_BYTES:]
        self.size += len(chunk)


Steps = Generator[Range, bytes, Finding | None]
Parser = Callable[[Stream], Steps]


class Reader:
    """Runs one parser over a stream."""

    def __init__(self, parser: Parser, stream: Stream) -> None:
        self._stream = stream
        self._steps = parser(stream)
        self._buffer = bytearray()
        self._passed = 0  # where the last range outside the head ended
        self._finding: Finding | None = None
        self._wanted: Range | None = next(self._steps)

    @property
    def reads(self) -> bool:
        """Whether the parser wants bytes before the file's end."""
        return self._wanted is not None and self._wanted is not END

    def feed(self, chunk: bytes) -> None:
        """Take what the parser waits for out of `chunk`, which the stream has appended already."""
        start = self._stream.size - len(chunk)
        while self._wanted is not None and self._wanted is not END:
            self._collect(self._wanted, chunk, start)
            if len(self._buffer) < self._wanted.length:
                return
            self._send(self._wanted)

    def finish(self) -> Finding | None:
        """Give the parser what there is of the ranges it still wants; return what it found."""
        while self._wanted is not None:
            if self._wanted is END:
                self._buffer += self._stream.tail
            else:
                self._collect(self._wanted, b"", self._stream.size)
            self._send(self._wanted)
        return self._finding

    def _collect(self, wanted: Range, chunk: bytes, start: int) -> None:
        cursor = wanted.offset + len(self._buffer)
        end = wanted.offset + wanted.length
        head = self._stream.head
        if cursor < len(head):
            self._buffer += head[cursor:end]
            cursor = min(end, len(head))
        if start <= cursor < end:
            self._buffer += chunk[cursor - start : end - start]

    def _send(self, wanted: Range) -> None:
        if wanted is END:
            self._passed = sys.maxsize
        elif wanted.offset + wanted.length > HEAD_BYTES:
            self._passed = max(self._passed, wanted.offset + wanted.length)
        data, self._buffer = bytes(self._buffer), bytearray()
        try:
            following = self._steps.send(data)
            while not self._reachable(following):
                following = self._steps.throw(Passed())
            self._wanted = following
        except StopIteration as stop:
            self._finding, self._wanted = stop.value, None

    def _reachable(self, wanted: Range) -> bool:
        if wanted is END:
            return True
        if wanted.length > RANGE_BYTES:
            return False
        return wanted.offset + wanted.length <= HEAD_BYTES or wanted.offset >= self._passed
