"""Debian packages: which are needed, which are missing, and one apt-get call for those."""

import hashlib
import os
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path

from pileus.setup import libvirt_binding
from pileus.setup.commands import CommandFailed, run
from pileus.setup.errors import SetupError
from pileus.setup.locking import exclusive
from pileus.setup.places import Places
from pileus.setup.progress import Step, step

# None of these starts a daemon or a network of its own: hence libvirt-daemon and not libvirt-daemon-system,
# dnsmasq-base and not dnsmasq.
VENV = "python3-venv"
HOST = (
    VENV,
    "conntrack",
    "dnsmasq-base",
    "ipxe-qemu",
    "iproute2",
    "kmod",
    "libvirt-daemon",
    "libvirt-daemon-driver-qemu",
    "nftables",
    "procps",
    libvirt_binding.PACKAGE,
    "qemu-system-x86",
    "qemu-utils",
    "seabios",
    "util-linux",
)
TESTS = (
    "busybox-static",
    "genisoimage",
    "iputils-ping",
    "mariadb-client-core",
    "mariadb-server-core",
    "memcached",
    "openssh-client",
    "slapd",
)
_STATUS = Path("/var/lib/dpkg/status")
_QUIET = {"DEBIAN_FRONTEND": "noninteractive", "NEEDRESTART_SUSPEND": "1", "LC_ALL": "C.UTF-8"}
_APT = ("apt-get", "-o", "DPkg::Lock::Timeout=600", "-o", "Dpkg::Use-Pty=0")


def ensure(places: Places, names: Iterable[str]) -> None:
    """Install what is missing of ``names``. Costs one stat where dpkg's records did not change since the last look."""
    wanted = sorted(set(names))
    stamp = places.library / f"packages-{hashlib.sha256(' '.join(wanted).encode()).hexdigest()[:8]}"
    if not _STATUS.exists():
        raise SetupError(f"This machine has no {_STATUS}: Pileus installs on Debian 12", "Or try ./pileus up --fake")
    if _is_newer(stamp, _STATUS):
        return
    with exclusive(places.library):
        absent = missing(wanted)
        if absent:
            _install(absent)
        stamp.touch()


def missing(names: Sequence[str]) -> list[str]:
    """Those of ``names`` that dpkg does not have installed and configured."""
    query = subprocess.run(
        ["dpkg-query", "--show", "--showformat", "${Package} ${db:Status-Status}\\n", *names],
        capture_output=True,
        text=True,
        check=False,  # its status is 1 where a name is unknown, which is an answer too
    )
    return absent_from(query.stdout, names)


def absent_from(listing: str, names: Sequence[str]) -> list[str]:
    """Read lines of ``package status``: the names without a line that says ``installed``."""
    pairs = (line.partition(" ") for line in listing.splitlines())
    installed = {package for package, _, status in pairs if status == "installed"}
    return [name for name in names if name not in installed]


def _is_newer(stamp: Path, record: Path) -> bool:
    try:
        return os.stat(stamp).st_mtime_ns > os.stat(record).st_mtime_ns
    except FileNotFoundError:
        return False


def _install(names: Sequence[str]) -> None:
    with step(f"Debian packages ({len(names)} to install)") as current:
        try:
            _install_now(names, current)
            return
        except CommandFailed:
            current.say("renewing the package lists")
        try:
            # Stale or absent lists, or a dpkg that was interrupted: both are mended before the second try.
            run(["dpkg", "--configure", "-a"], current, _QUIET)
            run([*_APT, "update"], current, _QUIET)
            _install_now(names, current)
        except CommandFailed as failure:
            raise SetupError(
                f"apt-get could not install {' '.join(names)}: {failure}",
                "Check that this machine reaches its Debian archive (/etc/apt), then run this command again.",
            ) from failure


def _install_now(names: Sequence[str], current: Step) -> None:
    run([*_APT, "install", "--yes", "--no-install-recommends", *names], current, _QUIET)
