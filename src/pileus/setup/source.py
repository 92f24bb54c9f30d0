"""Where the processes import Pileus from: the clone itself, or a copy of it where others cannot read the clone."""

import hashlib
import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

from pileus.setup import bytecode
from pileus.setup.locking import exclusive
from pileus.setup.places import Places

_NEEDED_BY_OTHERS = {True: stat.S_IXOTH, False: stat.S_IROTH}  # of a folder, of a file
_KEPT_COPIES = 5  # a cloud that still runs may import from an earlier one


def ensure(places: Places) -> Path:
    """The folder for PYTHONPATH. Only root has unprivileged roles, so only root ever needs a copy."""
    if not places.privileged:
        return places.source
    source = places.source if is_open_to_all(places.source / "pileus") else _copy(places)
    bytecode.ensure(entry for entry in entries(source / "pileus") if entry.name.endswith(".py"))
    return source


def is_open_to_all(package: Path) -> bool:
    """Whether every user may pass through each folder down to ``package`` and read all that is in it."""
    passable = all(folder.stat().st_mode & stat.S_IXOTH for folder in (package, *package.parents))
    return passable and all(entry.stat().st_mode & _NEEDED_BY_OTHERS[entry.is_dir()] for entry in entries(package))


def entries(package: Path) -> Iterator[os.DirEntry[str]]:
    """All folders and files below ``package``, but those of tools' and compilers' caches, in a fixed order."""
    with os.scandir(package) as scan:
        for entry in sorted(scan, key=lambda found: found.name):
            if not entry.is_dir():
                yield entry
            elif entry.name != "__pycache__" and not entry.name.startswith("."):
                yield entry
                yield from entries(Path(entry.path))


def signature(package: Path) -> str:
    """Eight hex digits that change with any file's name, size or time of change."""
    digest = hashlib.sha256()
    for entry in entries(package):
        if entry.is_file():
            status = entry.stat()
            name = os.path.relpath(entry.path, package)
            digest.update(f"{name}\0{status.st_size}\0{status.st_mtime_ns}\n".encode())
    return digest.hexdigest()[:8]


def _copy(places: Places) -> Path:
    package = places.source / "pileus"
    copy = places.library / f"code-{signature(package)}"
    if not copy.exists():
        with exclusive(places.library):
            if not copy.exists():
                unfinished = places.library / "code.new"
                shutil.rmtree(unfinished, ignore_errors=True)
                _copy_contents(package, unfinished / "pileus")
                unfinished.rename(copy)
                _forget_old_copies(places.library)
    os.utime(copy)  # it is in use
    return copy


def _copy_contents(package: Path, target: Path) -> None:
    """Copy without the modes: those of the copies follow from the umask."""
    target.mkdir(parents=True)
    for entry in entries(package):
        name = target / os.path.relpath(entry.path, package)
        if entry.is_dir():
            name.mkdir()
        else:
            shutil.copyfile(entry.path, name)


def _forget_old_copies(library: Path) -> None:
    copies = sorted(library.glob("code-*"), key=lambda copy: copy.stat().st_mtime_ns, reverse=True)
    for copy in copies[_KEPT_COPIES:]:
        shutil.rmtree(copy)
