"""Where this installation keeps what it makes."""

import os
from pathlib import Path
from typing import NamedTuple


class Places(NamedTuple):
    """Absolute paths of one installation; root's are readable by the unprivileged roles."""

    source: Path  # the folder that holds the package pileus: src of a clone, or a copy of it
    library: Path  # virtual environments, copies of the source, stamps
    cache: Path  # the guest image
    bytecode: Path | None  # where Python keeps compiled files, if not beside the source
    privileged: bool

    @property
    def clone(self) -> Path:
        """The checkout; of a copy of the source there is none, and only the launcher, which is no copy, asks."""
        return self.source.parent


def find() -> Places:
    """The places of the user who runs this process."""
    source = Path(__file__).resolve().parents[2]
    if os.geteuid() == 0:
        return Places(source, Path("/usr/local/lib/pileus"), Path("/var/cache/pileus"), None, True)
    home = Path.home()
    library = Path(os.environ.get("XDG_DATA_HOME") or home / ".local/share") / "pileus"
    cache = Path(os.environ.get("XDG_CACHE_HOME") or home / ".cache") / "pileus"
    writable = os.access(source / "pileus", os.W_OK)
    return Places(source, library, cache, None if writable else cache / "bytecode", False)
