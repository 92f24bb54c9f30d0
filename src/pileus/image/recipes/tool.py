"""Run the programs that a recipe is made with."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

_SYSTEM_FOLDERS = ("/usr/sbin", "/sbin")  # which an ordinary user's PATH may lack


class ToolError(Exception):
    """A program is missing or failed; the text is which, and what it said."""


def run(
    *command: str, folder: Path | None = None, settings: Mapping[str, str] | None = None, seconds: float | None = None
) -> str:
    """Run `command` in `folder` with `settings` added to its environment, for `seconds` at most; its output, both streams.

    Raises ToolError.
    """
    path = os.pathsep.join((os.environ.get("PATH", os.defpath), *_SYSTEM_FOLDERS))
    environment = os.environ | {"PATH": path, "LC_ALL": "C"} | dict(settings or {})
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=seconds,
        )
    except FileNotFoundError as error:
        raise ToolError(f"{command[0]} is not installed") from error
    except subprocess.TimeoutExpired as error:
        raise ToolError(f"{command[0]} took longer than {seconds:g} s") from error
    if done.returncode:
        raise ToolError(f"{command[0]} failed: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout + done.stderr
