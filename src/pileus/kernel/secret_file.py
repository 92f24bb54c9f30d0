"""Files that hold one secret, made by whoever first needs it."""

import os
from collections.abc import Callable
from pathlib import Path


def read(path: Path, make: Callable[[], bytes]) -> bytes:
    """What the file holds, of mode 0600. Linked into place whole: of two who make it at once, both end with the same."""
    if not path.exists():
        path.parent.mkdir(mode=0o700, exist_ok=True)
        own = path.with_name(f".{path.name}-{os.getpid()}-{os.urandom(4).hex()}")
        try:
            with open(os.open(own, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(make())
                file.flush()
                os.fsync(file.fileno())
            os.link(own, path)
        except FileExistsError:
            pass
        finally:
            own.unlink(missing_ok=True)
    return path.read_bytes()
