"""A private libvirtd: one for each state folder, so several clouds share a machine and none needs an init system.

Where libvirt keeps configuration, state, sockets, caches and logs, the daemon sees folders of ours, bound over the
machine's in a private mount namespace. It stays in the network namespace of whoever starts it, survives its starter,
and guests survive it: a new daemon on the same folders takes them over.
"""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from pileus.compute.drivers.base import GuestFailed
from pileus.compute.drivers.libvirt import reaper
from pileus.compute.drivers.libvirt.process import end_process
from pileus.compute.drivers.libvirt.qemu_user import QemuUser

PRIVATE = {
    "etc": "/etc/libvirt",
    "lib": "/var/lib/libvirt",
    "run": "/run/libvirt",
    "cache": "/var/cache/libvirt",
    "log": "/var/log/libvirt",
}
START_SECONDS = 30
FAILED = "The hypervisor could not be started."
LOG_BYTES = 4 * 1024 * 1024

# $1 folder, $2 file to bind over /dev/kvm, $3 state folder, $4 ancestor of it that guests may not pass; $5… the reaper.
# An ancestor that is closed to the guests' user is covered, for them, by an empty one that holds the state folder alone.
LAUNCH = """
set -e
for pair in $PRIVATE; do
    mount --bind "$1/${pair%%:*}" "${pair#*:}"
done
if [ -n "$2" ]; then mount --bind "$2" /dev/kvm; fi
if [ -n "$4" ]; then
    mkdir -p /run/libvirt/state
    mount --bind "$3" /run/libvirt/state
    mount -t tmpfs -o mode=0711,size=64k none "$4"
    mkdir -p "$3"
    mount --bind /run/libvirt/state "$3"
    umount /run/libvirt/state
fi
shift 4
exec "$@" libvirtd -d -f /etc/libvirt/libvirtd.conf -p /run/libvirt/libvirtd.pid
"""

LIBVIRTD_CONF = """\
unix_sock_dir = "/run/libvirt"
unix_sock_rw_perms = "0700"
unix_sock_ro_perms = "0700"
auth_unix_rw = "none"
auth_unix_ro = "none"
log_outputs = "3:file:/var/log/libvirt/libvirtd.log"
max_workers = 40
prio_workers = 10
max_client_requests = 30
keepalive_interval = -1
"""

# file: no virtlogd between guest and console log; the rest needs neither a security module nor a nested namespace.
QEMU_CONF = """\
user = "{user}"
group = "{group}"
dynamic_ownership = 0
remember_owner = 0
security_driver = "none"
namespaces = []
cgroup_controllers = []
stdio_handler = "file"
max_core = 0
"""


def reaper_command() -> list[str]:
    """What libvirtd is to start under: nothing where systemd is the first process, which collects ended guests at once."""
    if Path("/run/systemd/system").exists():
        return []
    program = Path(reaper.__file__).read_text()  # as text: its file may be behind a covered folder
    return [os.path.realpath(sys.executable), "-I", "-S", "-c", program]


def closed(folder: Path) -> str:
    """The topmost ancestor of `folder` that other users may not pass; "" where the way is open."""
    return next((str(each) for each in reversed(folder.parents) if not each.stat().st_mode & 0o001), "")


class Daemon:
    """Starts libvirtd on `state`/libvirtd and answers its socket's address; guests' files are below `state` too."""

    def __init__(self, state: Path, user: QemuUser, kvm_usable: Callable[[], bool]) -> None:
        self.state = state
        self.folder = state / "libvirtd"
        self.user = user
        self.kvm_usable = kvm_usable

    @property
    def socket(self) -> Path:
        return self.folder / "run" / "libvirt-sock"

    def pid(self) -> int | None:
        """Our libvirtd's process number, if it runs: the pid file's process, with our folder as its /run/libvirt."""
        try:
            pid = int((self.folder / "run" / "libvirtd.pid").read_text())
            named = Path(f"/proc/{pid}/comm").read_text() == "libvirtd\n"
            return pid if named and os.path.samefile(f"/proc/{pid}/root/run/libvirt", self.folder / "run") else None
        except (OSError, ValueError):
            return None

    def start(self) -> None:
        """Start it where it does not run; raises GuestFailed with the daemon's own words when it cannot."""
        if self.pid() is not None:
            return
        self._prepare()
        for mount_point in PRIVATE.values():
            Path(mount_point).mkdir(parents=True, exist_ok=True)
        try:
            done = self._launch()
        except (OSError, subprocess.SubprocessError) as error:
            raise GuestFailed(FAILED, str(error)) from error
        if done.returncode != 0 and self.pid() is None:
            raise GuestFailed(FAILED, f"libvirtd: {done.stderr.strip()[-800:]}")

    def _launch(self) -> subprocess.CompletedProcess[str]:
        command = ["unshare", "--mount", "--propagation", "slave", "sh", "-c", LAUNCH, "libvirtd"]
        return subprocess.run(
            [*command, str(self.folder), self._kvm_cover(), str(self.state), closed(self.state), *reaper_command()],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            cwd="/",
            env=os.environ | {"PRIVATE": " ".join(f"{name}:{path}" for name, path in PRIVATE.items())},
            start_new_session=True,
            timeout=START_SECONDS,
        )

    def stop(self) -> None:
        """End the daemon; guests that run stay."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End a daemon that does not react."""
        self._end(signal.SIGKILL)

    def _end(self, first: signal.Signals) -> None:
        pid = self.pid()
        if pid is not None:
            end_process(pid, first=first)

    def guest_log(self, name: str) -> Path:
        """What libvirt notes of a guest's starts and ends, and qemu's own words; libvirt never removes it."""
        return self.folder / "log" / "qemu" / f"{name}.log"

    def _prepare(self) -> None:
        boot_id = Path("/proc/sys/kernel/random/boot_id").read_text()
        remembered = self.folder / "boot-id"
        if not remembered.exists() or remembered.read_text() != boot_id:
            shutil.rmtree(self.folder / "run", ignore_errors=True)  # what /run holds does not outlive a boot
        for name in PRIVATE:
            (self.folder / name).mkdir(mode=0o755, parents=True, exist_ok=True)
        self.folder.chmod(0o711)
        log = self.folder / "log" / "libvirtd.log"
        if log.exists() and log.stat().st_size > LOG_BYTES:
            log.rename(log.with_suffix(".log.1"))
        (self.folder / "etc" / "libvirtd.conf").write_text(LIBVIRTD_CONF)
        group = self.user.group_text
        (self.folder / "etc" / "qemu.conf").write_text(QEMU_CONF.format(user=self.user.text, group=group))
        remembered.write_text(boot_id)

    def _kvm_cover(self) -> str:
        """A file to bind over /dev/kvm, so that libvirt's probe and the guest's user see the same thing.

        Unusable: an ordinary file that nobody may open. Usable, but not by the guests' user: the same device, theirs.
        """
        if not Path("/dev/kvm").exists():
            return ""
        cover = self.folder / "kvm"
        cover.unlink(missing_ok=True)
        if self.kvm_usable():
            os.mknod(cover, 0o600 | 0o020000, os.stat("/dev/kvm").st_rdev)
            os.chown(cover, self.user.uid, self.user.gid)
        else:
            cover.touch(mode=0o000)
            cover.chmod(0o000)
        return str(cover)
