"""The virtual environments: one that runs Pileus, one with the tools of its tests besides."""

import hashlib
import os
import shutil
import sys
from enum import Enum
from importlib import invalidate_caches
from importlib.util import find_spec
from pathlib import Path

from pileus.setup.commands import CommandFailed, run
from pileus.setup.errors import SetupError
from pileus.setup.locking import exclusive
from pileus.setup.places import Places
from pileus.setup.progress import step

_STAMP = "complete"
_PIP_OVERRIDES = ("PIP_PREFIX", "PIP_REQUIRE_VIRTUALENV", "PIP_TARGET", "PIP_USER", "PYTHONHOME", "PYTHONPATH")


class Kind(Enum):
    """Which lock file an environment holds."""

    RUN = "requirements.lock"
    DEV = "requirements-dev.lock"


def path(places: Places, kind: Kind) -> Path:
    """Where the environment is, or will be: a changed lock file or interpreter gives another one."""
    lock = (places.clone / kind.value).read_bytes()
    digest = hashlib.sha256(lock + f"{sys.version}{sys.executable}".encode()).hexdigest()[:8]
    prefix = "dev-venv" if kind is Kind.DEV else "venv"
    return places.library / f"{prefix}-{digest}"


def interpreter(environment: Path) -> Path:
    return environment / "bin/python"


def is_complete(environment: Path) -> bool:
    return (environment / _STAMP).exists()


def can_be_made() -> bool:
    """Whether this interpreter has what a virtual environment takes; Debian puts it into a package of its own."""
    invalidate_caches()  # that package may have come a moment ago
    return find_spec("ensurepip") is not None


def ensure(places: Places, kind: Kind) -> Path:
    """Make the environment unless it is there; a half-made one, left by a kill, is made anew."""
    environment = path(places, kind)
    if is_complete(environment):
        return environment
    if not can_be_made():
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        raise SetupError(
            f"{sys.executable} cannot make virtual environments: its module ensurepip is missing",
            f"As root: apt-get install python3-venv (or python{version}-venv), then run this command again.",
        )
    with exclusive(places.library):
        if not is_complete(environment):
            _build(environment, places.clone / kind.value)
    return environment


def _build(environment: Path, lock: Path) -> None:
    # Built where it stays, since scripts in bin/ carry its path; it counts only once the stamp is there.
    shutil.rmtree(environment, ignore_errors=True)
    without_overrides = {name: "" for name in _PIP_OVERRIDES if name in os.environ}
    try:
        with step(f"Python environment {environment}") as current:
            run([sys.executable, "-m", "venv", str(environment)], current, without_overrides)
            pip = [str(interpreter(environment)), "-m", "pip", "install", "--disable-pip-version-check"]
            run([*pip, "--require-hashes", "--no-deps", "-r", str(lock)], current, without_overrides)
            (environment / _STAMP).touch()
    except CommandFailed as failure:
        raise SetupError(
            f"The Python environment could not be made: {failure}",
            "The first run needs a Python package index (pip's own configuration says which). Run this command again.",
        ) from failure
