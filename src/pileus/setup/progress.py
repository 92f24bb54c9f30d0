"""What the person at the terminal sees while a step runs."""

import shutil
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

_REFRESH = 0.25  # seconds between two frames of the live line
_CLEAR = "\r\x1b[K"


def duration(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds < 60 else f"{seconds // 60:.0f} min {seconds % 60:.0f} s"


class Step:
    """One step under way: ``say`` tells what it is doing just now."""

    def __init__(self, title: str, stream: TextIO, after: float) -> None:
        self._title = title
        self._stream = stream
        self._live = stream.isatty()
        self._after = after
        self._shown = False
        self._detail = ""
        self._started = time.monotonic()
        self._ended = threading.Event()
        self._ticker = threading.Thread(target=self._tick, daemon=True)

    def say(self, detail: str) -> None:
        self._detail = " ".join(detail.split())

    def start(self) -> None:
        if not self._after:
            self._show()
        self._ticker.start()

    def finish(self, outcome: str) -> None:
        self._ended.set()
        self._ticker.join()
        if self._shown:
            clear = _CLEAR if self._live else ""
            self._write(f"{clear}{self._title}: {outcome} in {duration(self._elapsed())}\n")

    def _tick(self) -> None:
        if self._ended.wait(self._after):
            return
        if not self._shown:
            self._show()
        while self._live and not self._ended.wait(_REFRESH):
            self._show()

    def _show(self) -> None:
        self._shown = True
        if self._live:
            line = f"{self._title} ... {duration(self._elapsed())}  {self._detail}"
            self._write(_CLEAR + line[: shutil.get_terminal_size().columns - 1])
        else:
            self._write(f"{self._title} ...\n")

    def _elapsed(self) -> float:
        return time.monotonic() - self._started

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()


@contextmanager
def step(title: str, stream: TextIO | None = None, after: float = 0.0) -> Iterator[Step]:
    """Show ``title`` with its elapsed time: a live line on a terminal, a line at each end elsewhere.

    With ``after``, nothing is shown of a step that takes fewer seconds than that.
    """
    current = Step(title, stream or sys.stderr, after)
    current.start()
    outcome = "failed"
    try:
        yield current
        outcome = "done"
    finally:
        current.finish(outcome)
