"""Keeps one directory that does not answer from holding up everything else."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from pileus.kernel.errors import Unavailable

AT_ONCE = 3  # questions to one directory at a time, of one process
PATIENCE = 1.0  # seconds to wait for a turn
REST = 5.0  # seconds that a directory which failed is not asked again


class Gate:
    def __init__(self, what: str) -> None:
        self._what = what
        self._turns = threading.BoundedSemaphore(AT_ONCE)
        self._closed_until = 0.0

    @contextmanager
    def __call__(self) -> Iterator[None]:
        """Around each question. Raises Unavailable; one raised inside closes the gate for a while."""
        self._check()
        if not self._turns.acquire(timeout=PATIENCE):
            raise Unavailable(f"{self._what} is busy; try again.", headers={"retry-after": "1"})
        try:
            self._check()
            yield
        except Unavailable:
            self._closed_until = time.monotonic() + REST
            raise
        finally:
            self._turns.release()

    def _check(self) -> None:
        if time.monotonic() < self._closed_until:
            rest = str(int(REST))
            raise Unavailable(f"{self._what} did not answer a moment ago; try again.", headers={"retry-after": rest})
