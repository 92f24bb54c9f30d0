"""A suite from PyPI, unpatched, in a virtual environment of its own."""

import subprocess
import sys
from pathlib import Path

from pileus.setup import places

RELEASE = "47"  # newest of this series: the one that tempest.conf.template was written for


def install(name: str = f"tempest-{RELEASE}", *wanted: str) -> Path:
    """The environment's folder; made on first use (needs the package index then). `wanted`: requirements, by default tempest."""
    folder = places.find().library / name
    if not (folder / ".complete").exists():
        print(f"Installing {name} into {folder} ...", flush=True)
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
        pip = [str(folder / "bin" / "pip"), "install", "-q", "--disable-pip-version-check"]
        subprocess.run([*pip, *(wanted or (f"tempest=={RELEASE}.*",))], check=True)
        (folder / ".complete").touch()
    return folder


def packages(folder: Path) -> Path:
    """Where the environment keeps its packages."""
    return next(folder.glob("lib/python3*/site-packages"))
