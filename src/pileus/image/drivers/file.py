"""Images as files `<image id>.<upload key>` in one folder.

The row, not the file's name, says that an image is complete: a file is written under its final name, which no other
upload ever gets, and counts from the moment when the row names it. What no row names is removed by the sweep.
Long runs of zeros are left out of the file: they are read as zeros, and take no room.
"""

import errno
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from pileus.image.drivers.base import DataKey, StoreFull

ZEROS = bytes(1 << 16)
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class FileSink:
    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o640)
        self._open = True
        self._size = 0

    def write(self, block: bytes) -> None:
        view = memoryview(block)
        for start, end in _filled(block):
            at, rest = self._size + start, view[start:end]
            while rest:
                try:
                    written = os.pwrite(self._file, rest, at)
                except OSError as error:
                    raise _full(error) from error
                at, rest = at + written, rest[written:]
        self._size += len(block)

    def commit(self) -> None:
        try:
            os.ftruncate(self._file, self._size)  # it may end in zeros that were left out
            os.fsync(self._file)
        except OSError as error:
            raise _full(error) from error
        self._close()
        _sync_folder(self._path.parent)

    def abort(self) -> None:
        self._close()
        self._path.unlink(missing_ok=True)

    def _close(self) -> None:
        if self._open:
            self._open = False
            os.close(self._file)


class FileSource:
    def __init__(self, path: Path) -> None:
        self._file = path.open("rb", buffering=0)
        self.size = os.fstat(self._file.fileno()).st_size

    def read(self, offset: int, length: int) -> bytes:
        """What is left out is not looked for on the disk: it would fill the system's cache with zeros."""
        end = min(offset + length, self.size)
        if offset < end <= self._data_from(offset):
            return bytes(end - offset)
        return os.pread(self._file.fileno(), length, offset)

    def _data_from(self, offset: int) -> int:
        try:
            return os.lseek(self._file.fileno(), offset, os.SEEK_DATA)
        except OSError as error:
            if error.errno == errno.ENXIO:  # nothing more up to the end
                return self.size
            raise

    def close(self) -> None:
        self._file.close()


class FileStore:
    read_only = False

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        self.folder = folder

    def create(self, key: DataKey) -> FileSink:
        self.folder.mkdir(mode=0o750, parents=True, exist_ok=True)
        return FileSink(self._file(key))

    def open(self, key: DataKey) -> FileSource:
        return FileSource(self._file(key))

    def delete(self, key: DataKey) -> None:
        self._file(key).unlink(missing_ok=True)

    def keys(self) -> Iterator[DataKey]:
        if not self.folder.exists():
            return
        with os.scandir(self.folder) as entries:
            for entry in entries:
                image_id, dot, key = entry.name.partition(".")
                if dot and entry.is_file(follow_symlinks=False):
                    yield DataKey(image_id, key)

    def path(self, key: DataKey) -> Path | None:
        file = self._file(key)
        return file if file.exists() else None

    def url(self, key: DataKey) -> str:
        return self._file(key).absolute().as_uri()

    def properties(self) -> Mapping[str, object]:
        return {"data_dir": str(self.folder)}

    def _file(self, key: DataKey) -> Path:
        return self.folder / f"{key.image_id}.{key.key}"


def _filled(block: bytes) -> Iterator[tuple[int, int]]:
    """From where to where there is more in it than zeros."""
    begun: int | None = None
    for at in range(0, len(block), len(ZEROS)):
        if block.startswith(ZEROS, at):
            if begun is not None:
                yield begun, at
            begun = None
        elif begun is None:
            begun = at
    if begun is not None:
        yield begun, len(block)


def _full(error: OSError) -> Exception:
    return StoreFull(str(error)) if error.errno in NO_ROOM else error


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
