"""Key folders: files 0, 1, 2, … The highest is the primary (signs), 0 is staged (the next primary), the rest only verify.

Rotation promotes the staged key, so that every process and node that has the folder's last state knows a key before the first
token signed by it. Whoever changes a folder holds its lock; whoever reads needs none, for files come whole and by one rename.
"""

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Generic, NamedTuple, TypeVar

from cryptography.fernet import Fernet, MultiFernet

T = TypeVar("T")
STAGED = 0
ATTEMPTS = 20  # of reading a folder from which a rotation takes a key away meanwhile
SETTLED = 2.0  # seconds until every process of this machine has read a new staged key


class Key(NamedTuple):
    """`role`: staged, primary or secondary. `age` in seconds, of the key in that role or since it was made."""

    number: int
    role: str
    age: float


def create(folder: Path) -> None:
    """Make the folder with a staged and a primary key, unless it has keys already."""
    with locked(folder):
        if not numbers(folder):
            write(folder / str(STAGED), Fernet.generate_key())
            write(folder / "1", Fernet.generate_key())


def rotate(folder: Path, keep: int = 4, *, settled: float = 0, due: float = 0) -> bool:
    """Promote the staged key, stage a new one, drop the oldest beyond `keep`. Tokens of kept keys stay valid.

    Does nothing, and says so, while the staged key is younger than `settled` seconds (not every process may know it) or the primary
    younger than `due`. A rotation that was killed half way is finished, not begun anew.
    """
    with locked(folder):
        if not may_rotate(folder, settled, due):
            return False
        found = numbers(folder)
        if STAGED in found:
            promote(folder, found[-1] + 1)
        write(folder / str(STAGED), Fernet.generate_key())
        drop(folder, keep)
        return True


def may_rotate(folder: Path, settled: float, due: float) -> bool:
    found = numbers(folder)
    if not found or STAGED not in found:
        return True
    known = settled <= 0 or age(folder / str(STAGED)) >= settled  # an age may be negative: clocks are set back
    return known and (due <= 0 or age(folder / str(found[-1])) >= due)


def promote(folder: Path, number: int) -> None:
    os.utime(folder / str(STAGED))  # as the primary, its age counts from now
    os.replace(folder / str(STAGED), folder / str(number))


def drop(folder: Path, keep: int) -> None:
    """The oldest beyond `keep`, the staged one included."""
    verifying = numbers(folder)[1:]
    for number in verifying[: max(0, len(verifying) - (keep - 1))]:
        (folder / str(number)).unlink()


def listing(folder: Path) -> list[Key]:
    """What is there, never what it contains: primary, staged, then the others, newest first."""
    found = numbers(folder)
    order = sorted(found, key=lambda number: (number != found[-1], number != STAGED, -number))
    return [Key(number, _role(number, found), max(0.0, age(folder / str(number)))) for number in order]


def _role(number: int, present: list[int]) -> str:
    return "staged" if number == STAGED else "primary" if number == present[-1] else "secondary"


class Watched(Generic[T]):
    """What `load` makes of folders, made anew when a file in one of them changed. Looks at most once a second."""

    def __init__(self, load: Callable[[], T], *folders: Path) -> None:
        self._load = load
        self._folders = folders
        self._marks: tuple[object, ...] = ()
        self._look_again = 0.0
        self._made: T | None = None

    def now(self) -> T:
        """Raises FileNotFoundError when there are no keys."""
        now = time.monotonic()
        if self._made is None or now >= self._look_again:
            self._look_again = now + 1
            return self._look(ATTEMPTS)
        return self._made

    def _look(self, attempts: int) -> T:
        try:
            marks = tuple(
                (n, (folder / str(n)).stat().st_mtime_ns) for folder in self._folders for n in numbers(folder)
            )
            if not marks:
                raise FileNotFoundError(f"no token keys in {self._folders[0]}")
            if marks != self._marks or self._made is None:
                self._made, self._marks = self._load(), marks
            return self._made
        except FileNotFoundError:
            if attempts == 1:
                raise
            return self._look(attempts - 1)


class KeyRing:
    """The Fernet keys of a folder as this process knows them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._watched = Watched(self._load, folder)

    def fernet(self) -> MultiFernet:
        """Raises FileNotFoundError when the folder has no keys."""
        return self._watched.now()

    def _load(self) -> MultiFernet:
        newest_first = sorted(numbers(self.folder), reverse=True)
        return MultiFernet([Fernet((self.folder / str(n)).read_bytes()) for n in newest_first])


def numbers(folder: Path) -> list[int]:
    return sorted(int(entry.name) for entry in folder.iterdir() if entry.name.isdecimal()) if folder.is_dir() else []


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """One process at a time changes the folder, which is made if it is not there."""
    if not folder.is_dir():
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if os.geteuid() == 0:
            own(folder, folder.parent)
    if folder.stat().st_mode & 0o077:
        folder.chmod(0o700)
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def write(path: Path, data: bytes) -> None:
    """Whole or not at all, never readable by others, and owned as the folder is: root may rotate the keys of the roles' user."""
    partial = path.with_name(f".{path.name}.new")
    partial.unlink(missing_ok=True)
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    if os.geteuid() == 0:
        own(partial, path.parent)
    os.replace(partial, path)


def own(path: Path, like: Path) -> None:
    """Root's doing: `path` belongs to the owner of `like`."""
    owner = like.stat()
    os.chown(path, owner.st_uid, owner.st_gid)


def age(path: Path) -> float:
    """Seconds since the file was made or took its role."""
    return time.time() - path.stat().st_mtime
