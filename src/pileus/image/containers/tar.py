"""A strict reader of tar archives that stream past (POSIX.1-2001 `ustar` and `pax`, and GNU's variant of `ustar`).

It unpacks nothing. What tar readers understand differently from each other is refused rather than guessed.
"""

from typing import Protocol

from pileus.image.containers.tar_header import (
    BLOCK,
    EXTENDED,
    EXTENDED_BYTES,
    Member,
    TarRefused,
    read_header,
    read_records,
)


class Visitor(Protocol):
    """Is told of each member. May raise `TarRefused` for those that it does not want."""

    def begin(self, member: Member) -> None: ...

    def data(self, block: bytes) -> None: ...

    def end(self) -> None: ...


class TarReader:
    """Feed it the archive in blocks of any size; raises `TarRefused`."""

    def __init__(self, visitor: Visitor, most_members: int) -> None:
        self._visitor = visitor
        self._most = most_members
        self._names: set[str] = set()
        self._header = bytearray()
        self._extension: bytearray | None = None  # a pax header under way
        self._records: dict[str, str] = {}
        self._left = 0  # of the member's bytes
        self._padding = 0
        self._ended = False

    def feed(self, block: bytes) -> None:
        """Look at the archive's next bytes."""
        at = 0
        while at < len(block):
            if self._ended:
                if block.count(0, at) != len(block) - at:
                    raise TarRefused("it goes on after its end")
                return
            if self._left:
                at = self._read(block, at)
            elif self._padding:
                skipped = min(self._padding, len(block) - at)
                self._padding -= skipped
                at += skipped
            else:
                missing = BLOCK - len(self._header)
                self._header += block[at : at + missing]
                at += missing
                if len(self._header) == BLOCK:
                    header, self._header = bytes(self._header), bytearray()
                    self._begin(header)

    def finish(self) -> None:
        """The archive must have come to its end."""
        if not self._ended:
            raise TarRefused("it is cut off")

    def _begin(self, header: bytes) -> None:
        if not any(header):
            if self._records:
                raise TarRefused("it has an extended header of nothing")
            self._ended = True
            return
        member = read_header(header, self._records)
        self._padding = -member.size % BLOCK
        self._left = member.size
        if member.kind == EXTENDED:
            if self._records or not 0 < member.size <= EXTENDED_BYTES:
                raise TarRefused("it has an extended header of an absurd length, or two for one member")
            self._extension = bytearray()
            return
        self._records = {}
        if member.name in self._names:
            raise TarRefused(f"it has {member.name!r} twice")
        self._names.add(member.name)
        if len(self._names) > self._most:
            raise TarRefused(f"it has more than {self._most} members")
        self._visitor.begin(member)
        if not member.size:
            self._visitor.end()

    def _read(self, block: bytes, at: int) -> int:
        data = block[at : at + self._left]
        self._left -= len(data)
        if self._extension is None:
            self._visitor.data(data)
            if not self._left:
                self._visitor.end()
        else:
            self._extension += data
            if not self._left:
                self._records, self._extension = read_records(bytes(self._extension)), None
        return at + len(data)
