"""Finding the running cloud of a state folder."""

import fcntl
import json
import os
from pathlib import Path
from typing import Any


def facts(state: Path) -> dict[str, Any]:
    """What the last `up` wrote down: pid, endpoint, host, overrides, database. Empty when there was none.

    Raises SystemExit with words for who may not read it.
    """
    path = state / "run" / "cloud.json"
    try:
        found: dict[str, Any] = json.loads(path.read_text())
    except PermissionError:
        raise SystemExit(f"pileus: {path} is for the user who started the cloud") from None
    except (OSError, ValueError):
        return {}
    return found


def is_up(state: Path) -> bool:
    """Does a supervisor hold the folder's lock?"""
    try:
        with (state / "run" / "supervisor.lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except PermissionError as error:
        raise SystemExit(f"pileus: {error.filename} is for the user who started the cloud") from None
    except OSError:
        return False
    return False


def pid_of(state: Path, role: str) -> int | None:
    """The role's process when it is alive."""
    try:
        pid = int((state / "run" / f"{role}.pid").read_text())
        os.kill(pid, 0)
    except PermissionError:
        return pid
    except (OSError, ValueError):
        return None
    return pid


def supervisor(state: Path) -> int | None:
    return pid_of(state, "supervisor")
