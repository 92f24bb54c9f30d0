"""What every container format offers to whoever receives an image, and what several of them need."""

from collections.abc import Callable
from typing import Protocol

from pileus.image.formats import FormatRefused, Inspector, Verdict, check

Out = Callable[[bytes], None]
"""Takes the next bytes of the disk inside a container."""


class Examiner(Protocol):
    """Feed it an image's bytes in order, in blocks of any size. Memory stays small whatever their number."""

    def feed(self, block: bytes) -> None:
        """Look at the next bytes. Raises `FormatRefused` as soon as they cannot become good any more."""

    def finish(self) -> Verdict:
        """Say what the disk is; no more bytes may follow. Raises `FormatRefused`."""


class Disk:
    """The disk inside a container: inspected like a bare one, and handed on to `out` if there is one."""

    def __init__(self, disk_format: str, container: str, out: Out | None = None) -> None:
        self._disk_format = disk_format
        self._container = container
        self._inspector = Inspector()
        self._out = out

    def feed(self, block: bytes) -> None:
        self._inspector.feed(block)
        if self._out is not None:
            self._out(block)

    def finish(self) -> Verdict:
        """Raises `FormatRefused`."""
        verdict = self._inspector.finish()
        try:
            check(verdict, self._disk_format)
        except FormatRefused as error:
            raise FormatRefused(f"The disk inside the {self._container}: {error}") from None
        return verdict


class Shell:
    """The container's own bytes, which must not pass for a disk."""

    def __init__(self, container: str) -> None:
        self._container = container
        self._inspector = Inspector()

    def feed(self, block: bytes) -> None:
        self._inspector.feed(block)

    def finish(self) -> None:
        """Raises `FormatRefused`."""
        formats = self._inspector.finish().formats
        if formats:
            raise FormatRefused(
                f"The {self._container} is at once a disk ({', '.join(formats)}); such files are refused."
            )
