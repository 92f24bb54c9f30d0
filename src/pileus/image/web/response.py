"""The data of one answer, from where the caller wants it."""

import re
import time
from types import TracebackType

import h11

from pileus.image.web.errors import Failed, TooLarge
from pileus.image.web.wire import Wire

RANGE = re.compile(rb"bytes ([0-9]{1,18})-[0-9]{1,18}/([0-9]{1,18}|\*)")
GATHER = 1.0  # seconds in which a read is filled up
PERIOD = 60.0  # seconds of waiting after which it is asked whether a server is too slow


class Response:
    """A body that is read once. Close it."""

    size: int | None
    """Bytes of the whole data, not only from `offset` on; None where the server does not say."""
    ranges: bool
    """The server can start anywhere."""

    def __init__(self, wire: Wire, head: h11.Response, offset: int, limit: int | None, slowest: int = 0) -> None:
        """`slowest` in bytes a second, 0 for any. Raises Failed, and then the wire is the caller's to close."""
        fields = dict(head.headers)
        if fields.get(b"content-encoding", b"identity").lower() != b"identity":
            raise Failed("The server sent the data encoded, which it was not asked to.")
        self._wire = wire
        self._rest = b""
        self._limit = limit
        self._slowest, self._waited, self._came = slowest, 0.0, 0
        self.ranges = head.status_code == 206 or fields.get(b"accept-ranges", b"").lower() == b"bytes"
        length = fields.get(b"content-length") if b"transfer-encoding" not in fields else None
        self.size = int(length) if length is not None else None
        self.position = 0
        if head.status_code == 206:
            self.position = offset
            self.size = self._whole(fields.get(b"content-range", b""), offset)
        if limit is not None and self.size is not None and self.size > limit:
            raise TooLarge(f"The data is larger than {limit} bytes.")

    def read(self, n: int) -> bytes:
        """1 to `n` bytes, all `n` where they come within a second; b"" at the end. Raises Failed, also if that comes early."""
        pieces, missing, until = [], n, time.monotonic() + GATHER
        while missing > 0:
            piece = self._rest or self._receive()
            if not piece:
                self._end(n - missing)
                break
            pieces.append(piece[:missing])
            self._rest = piece[missing:]
            missing -= len(pieces[-1])
            if time.monotonic() > until:
                break
        block = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        self.position += len(block)
        if self._limit is not None and self.position > self._limit:
            raise TooLarge(f"The data is larger than {self._limit} bytes.")
        return block

    def skip(self, offset: int) -> None:
        """Reads on to `offset`. Raises Failed."""
        while self.position < offset:
            if not self.read(min(offset - self.position, 1 << 20)):
                raise Failed("The data ended early.")

    def close(self) -> None:
        self._wire.close()

    def __enter__(self) -> "Response":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _receive(self) -> bytes:
        """Only the time that the server takes counts, not what the reader does in between."""
        before = time.monotonic()
        piece = self._wire.receive()
        self._waited += time.monotonic() - before
        self._came += len(piece)
        if piece and self._waited > PERIOD:
            if self._came < self._slowest * self._waited:
                raise Failed("The server sends too slowly.")
            self._waited, self._came = 0.0, 0
        return piece

    def _end(self, pending: int) -> None:
        if self.size is not None and self.position + pending != self.size:
            raise Failed("The data ended early.")

    def _whole(self, given: bytes, offset: int) -> int | None:
        parts = RANGE.fullmatch(given)
        if parts is None or int(parts[1]) != offset:
            raise Failed("The server sent another range than it was asked for.")
        return None if parts[2] == b"*" else int(parts[2])
