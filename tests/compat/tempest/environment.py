"""Tempest from PyPI, unpatched, in a virtual environment of its own."""

import subprocess
import sys
from pathlib import Path

from pileus.setup import places

RELEASE = "47"  # newest of this series: the one that tempest.conf.template was written for


def install() -> Path:
    """The environment's folder; made on first use (needs the package index then)."""
    folder = places.find().library / f"tempest-{RELEASE}"
    if not (folder / ".complete").exists():
        print(f"Installing tempest {RELEASE} into {folder} ...", flush=True)
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
        pip = [str(folder / "bin" / "pip"), "install", "-q", "--disable-pip-version-check"]
        subprocess.run([*pip, f"tempest=={RELEASE}.*"], check=True)
        (folder / ".complete").touch()
    return folder


def packages(folder: Path) -> Path:
    """Where the environment keeps tempest itself."""
    return next(folder.glob("lib/python3*/site-packages"))
