"""The state folder: who owns what in it, and the secrets that are made once."""

import os
import pwd
import secrets
from pathlib import Path
from typing import NamedTuple

from pileus.kernel.config import ConfigError

SECRETS = ("admin_password", "demo_password", "metadata_secret", "cache_secret")
PRIVATE = (
    *("db", "bus", "keys", "credential-keys", "domain-keys", "secrets"),
    *("images", "image-stores", "image-cache", "image-keys", "staging"),
)  # of the unprivileged roles
SUPERVISED = ("log", "run")  # of the supervisor alone: root writes here by name
HOST = ("agent", "compute")  # of the agent


class Owner(NamedTuple):
    uid: int
    gid: int


def default_folder() -> Path:
    if os.geteuid() == 0:
        return Path("/var/lib/pileus")
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "pileus"


def owner_of_roles(user: str) -> Owner:
    """Who the API and reconcile processes run as: the configured user when root starts them, else whoever does. Raises ConfigError."""
    if os.geteuid() != 0:
        return Owner(os.getuid(), os.getgid())
    try:
        entry = pwd.getpwnam(user)
    except KeyError:
        raise ConfigError(
            f"section [cloud]: user = {user!r}: this machine has no such user; `useradd --system {user}` makes one"
        ) from None
    return Owner(entry.pw_uid, entry.pw_gid)


def check_reachable(state: Path, owner: Owner) -> None:
    """Raises ConfigError when the roles' user can not pass through a folder above the state folder."""
    for folder in state.parents:
        held = folder.stat()
        bit = 0o100 if held.st_uid == owner.uid else 0o010 if held.st_gid == owner.gid else 0o001
        if owner.uid != 0 and not held.st_mode & bit:
            name = pwd.getpwuid(owner.uid).pw_name
            raise ConfigError(
                f"{folder}: the user {name} must be able to pass through it; `chmod o+x {folder}` allows that"
            )


def prepare(state: Path, owner: Owner, agent: Owner) -> None:
    """Make what is missing. Nothing that exists is changed, but for its owner. `agent` owns what the host's agent writes."""
    state.mkdir(mode=0o711, parents=True, exist_ok=True)
    own = Owner(os.geteuid(), os.getegid())
    for names, user in ((PRIVATE, owner), (SUPERVISED, own), (HOST, agent)):
        for name in names:
            folder = state / name
            folder.mkdir(mode=0o700 if name in PRIVATE else 0o711, exist_ok=True)
            if os.geteuid() == 0:
                os.chown(folder, *user)
    for name in SECRETS:
        path = state / "secrets" / name
        if not path.exists():
            write_secret(path, secrets.token_urlsafe(24), owner)


def write_secret(path: Path, value: str, owner: Owner) -> None:
    """Whole or not at all, for its owner's eyes."""
    temporary = path.with_suffix(".new")
    temporary.unlink(missing_ok=True)
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w") as file:
        file.write(value + "\n")
        if os.geteuid() == 0:
            os.fchown(file.fileno(), *owner)
    os.replace(temporary, path)


def drop_privileges(owner: Owner) -> None:
    """For good: groups first, then group, then user. Nothing to do for who is not root."""
    os.umask(0o027)
    if os.geteuid() == 0 and owner.uid != 0:
        os.setgroups([])
        os.setgid(owner.gid)
        os.setuid(owner.uid)
        os.environ["HOME"] = "/nonexistent"
