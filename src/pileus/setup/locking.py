"""One set-up at a time."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pileus.setup.progress import step


@contextmanager
def exclusive(library: Path) -> Iterator[None]:
    """Hold the installation's lock; the kernel drops it when this process and all it started have ended.

    Programs that are run meanwhile inherit it: a pip that outlives a killed set-up must not meet a second one.
    """
    library.mkdir(parents=True, exist_ok=True)
    with (library / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            with step("Waiting: another pileus command is setting up"):
                fcntl.flock(lock, fcntl.LOCK_EX)
        os.set_inheritable(lock.fileno(), True)
        yield
