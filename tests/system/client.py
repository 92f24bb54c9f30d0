"""The newest python-openstackclient from PyPI, unpatched, in an environment of its own."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

PLACE = Path("/usr/local/lib/pileus/openstackclient")


def install() -> Path:
    """Path of the `openstack` program; installed on first use (needs the package index then)."""
    program = PLACE / "bin" / "openstack"
    if not (PLACE / ".complete").exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(PLACE)], check=True)
        subprocess.run(
            [str(PLACE / "bin" / "pip"), "install", "-q", "--disable-pip-version-check", "python-openstackclient"],
            check=True,
        )
        (PLACE / ".complete").touch()
    return program


class OpenStack:
    """`openstack …` as one cloud of a clouds.yaml."""

    def __init__(self, clouds: Path, cloud: str) -> None:
        self.program = install()
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": "/nonexistent",
            "OS_CLIENT_CONFIG_FILE": str(clouds),
            "OS_CLOUD": cloud,
        }

    def text(self, *arguments: str) -> str:
        done = subprocess.run(
            [str(self.program), *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, f"openstack {' '.join(arguments)}: {done.stdout}{done.stderr}"
        return done.stdout

    def __call__(self, *arguments: str) -> Any:
        return json.loads(self.text(*arguments, "-f", "json"))
