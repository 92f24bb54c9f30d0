"""System users: one for the roles that need no privilege, one for the guests' processes."""

import grp
import pwd

from pileus.setup.commands import CommandFailed, run
from pileus.setup.errors import SetupError
from pileus.setup.progress import step

ROLES = "pileus"
GUESTS = "libvirt-qemu"  # libvirt's default on Debian, where the package that makes it also starts daemons


def ensure() -> None:
    """Make the users that are missing, each with a group of its name, no home and no shell."""
    if not _exists(ROLES):
        _make(ROLES)
    if not _exists(GUESTS):
        _make(GUESTS, *(["--groups", "kvm"] if _has_group("kvm") else []))  # udev's group for /dev/kvm


def _has_group(name: str) -> bool:
    return any(group.gr_name == name for group in grp.getgrall())


def _exists(name: str) -> bool:
    try:
        pwd.getpwnam(name)
    except KeyError:
        return False
    return True


def _make(name: str, *options: str) -> None:
    command = ["useradd", "--system", "--user-group", "--no-create-home", "--home-dir", "/nonexistent"]
    try:
        with step(f"System user {name}") as current:
            run([*command, "--shell", "/usr/sbin/nologin", *options, name], current)
    except CommandFailed as failure:
        if _exists(name):
            return  # another set-up was quicker
        problem = f"The system user {name} could not be made: {failure}"
        raise SetupError(problem, "Solve that, then run this command again.") from failure
