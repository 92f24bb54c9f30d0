"""The serial console's log: the guest writes without end, the host keeps the last part.

qemu appends to a plain file, so the log needs no daemon beside it that could die. Keeping it short is a hole punched
into the file's head: nothing is copied, nothing that is written meanwhile is lost, and the file's offsets stay as they
are (so its length grows while its blocks do not).
"""

import ctypes
import ctypes.util
import errno
import os
from pathlib import Path

KEEP_SIZE, PUNCH_HOLE = 0x01, 0x02  # linux/falloc.h
BLOCK = 4096

_libc = ctypes.CDLL(ctypes.util.find_library("c"), use_errno=True)
_libc.fallocate.argtypes = (ctypes.c_int, ctypes.c_int, ctypes.c_int64, ctypes.c_int64)


def trim(path: Path, keep: int) -> None:
    """Free all but the last `keep` bytes, once twice as much is there. A file that is absent is fine."""
    try:
        facts = path.stat()
    except FileNotFoundError:
        return
    if facts.st_blocks * 512 <= 2 * keep:
        return
    end = (facts.st_size - keep) // BLOCK * BLOCK
    handle = os.open(path, os.O_RDWR)
    try:
        if end > 0 and _libc.fallocate(handle, KEEP_SIZE | PUNCH_HOLE, 0, end) != 0:
            number = ctypes.get_errno()
            if number != errno.EOPNOTSUPP:
                raise OSError(number, os.strerror(number), str(path))
            os.ftruncate(handle, 0)  # no holes on this filesystem: the log starts anew rather than fill the disk
    finally:
        os.close(handle)


def read_tail(path: Path, lines: int | None, keep: int) -> str:
    """The last `lines` lines (None: all, as they are) of the last `keep` bytes; "" where there is no log."""
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            file.seek(max(size - keep, 0))
            data = file.read(keep).lstrip(b"\0")
    except FileNotFoundError:
        return ""
    text = data.decode("utf-8", errors="replace")
    if lines is None:
        return text
    shown = text.removesuffix("\n").split("\n")[-lines:] if lines > 0 else []  # a carriage return alone ends no line
    return "\n".join(shown)
