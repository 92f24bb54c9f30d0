"""Renew the two lock files from pyproject.toml: ``PYTHONPATH=src python3 -m pileus.setup.lock [PACKAGE ...]``.

Without names every package may move to its newest version; with names only those may. The resolver is fetched into an
environment that is thrown away.
"""

import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from pileus.setup import places
from pileus.setup.environment import Kind

# No annotations, header or index address: the lock says what is installed, whoever made it, wherever from.
_OPTIONS = (
    *("--universal", "--python-version", "3.11"),
    *("--generate-hashes", "--no-annotate", "--no-header", "--no-emit-index-url", "--no-emit-find-links"),
)


def resolution(uv: Path, clone: Path, kind: Kind, upgrade: Sequence[str]) -> list[str]:
    """The resolver's command for one lock file; the tests' environment holds what the running one holds."""
    every = [f"--upgrade-package={name}" for name in upgrade] or ["--upgrade"]
    only_dev = ["--extra", "dev", "--constraint", str(clone / Kind.RUN.value)] if kind is Kind.DEV else []
    output = ["--output-file", str(clone / kind.value)]
    return [str(uv), "pip", "compile", "--quiet", *_OPTIONS, *every, *only_dev, *output, str(clone / "pyproject.toml")]


def main(upgrade: Sequence[str]) -> None:
    clone = places.find().clone
    with tempfile.TemporaryDirectory() as scratch:
        subprocess.run([sys.executable, "-m", "venv", scratch], check=True)
        subprocess.run([f"{scratch}/bin/python", "-m", "pip", "install", "--quiet", "uv"], check=True)
        for kind in (Kind.RUN, Kind.DEV):  # in this order: the second is held to the first
            command = resolution(Path(scratch) / "bin/uv", clone, kind, upgrade)
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    main(sys.argv[1:])
