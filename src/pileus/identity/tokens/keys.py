"""Token keys: a folder of files 0, 1, 2, … The highest is the primary (signs), 0 is staged (the next primary), the rest only verify.

Rotation promotes the staged key, so that every process that shares the folder knows a key before the first token signed by it.
"""

import os
import time
from pathlib import Path

from cryptography.fernet import Fernet, MultiFernet

STAGED = 0


def create(folder: Path) -> None:
    """Make the folder with a staged and a primary key, unless it has keys already."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    folder.chmod(0o700)
    if not _numbers(folder):
        _write(folder, STAGED)
        _write(folder, 1)


def rotate(folder: Path, keep: int = 4) -> None:
    """Promote the staged key, stage a new one, drop the oldest beyond `keep`. Tokens of kept keys stay valid."""
    numbers = _numbers(folder)
    os.replace(folder / str(STAGED), folder / str(max(numbers) + 1))
    _write(folder, STAGED)
    verifying = _numbers(folder)[1:]
    for number in verifying[: max(0, len(verifying) - (keep - 1))]:
        (folder / str(number)).unlink()


def rotate_when_due(folder: Path, age: float, keep: int) -> bool:
    """Rotate when the primary key is older than `age` seconds; whether it was."""
    numbers = _numbers(folder)
    if not numbers or time.time() - (folder / str(numbers[-1])).stat().st_mtime < age:
        return False
    rotate(folder, keep)
    os.utime(folder / str(_numbers(folder)[-1]))  # its age counts from now, not from when it was staged
    return True


class KeyRing:
    """The keys as this process knows them. Looks at the folder at most once a second."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._read_at: tuple[int, ...] = ()
        self._look_again = 0.0
        self._fernet: MultiFernet | None = None

    def fernet(self) -> MultiFernet:
        """Raises FileNotFoundError when the folder has no keys."""
        now = time.monotonic()
        if self._fernet is None or now >= self._look_again:
            self._look_again = now + 1
            numbers = _numbers(self.folder)
            marks = tuple(mark for n in numbers for mark in (n, (self.folder / str(n)).stat().st_mtime_ns))
            if marks != self._read_at or self._fernet is None:
                if not numbers:
                    raise FileNotFoundError(f"no token keys in {self.folder}")
                newest_first = [numbers[-1], *numbers[-2::-1]]
                self._fernet = MultiFernet([Fernet((self.folder / str(n)).read_bytes()) for n in newest_first])
                self._read_at = marks
        return self._fernet


def _numbers(folder: Path) -> list[int]:
    return sorted(int(entry.name) for entry in folder.iterdir() if entry.name.isdecimal()) if folder.is_dir() else []


def _write(folder: Path, number: int) -> None:
    """Whole or not at all, and never readable by others."""
    partial = folder / f".{number}.new"
    partial.unlink(missing_ok=True)
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(Fernet.generate_key())
        file.flush()
        os.fsync(file.fileno())
    os.replace(partial, folder / str(number))
