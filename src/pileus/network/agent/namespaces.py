"""Network namespaces of this machine: named as `ip netns` names them, entered by a thread, never by a helper process.

A namespace is a bind mount of `/proc/thread-self/ns/net` under /run/netns. Entering changes only the calling thread,
and only for as long as it takes to open a socket or to start a program there.
"""

import ctypes
import fcntl
import os
import socket
import struct
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

NAMED = Path("/run/netns")

_CLONE_NEWNET = 0x40000000
_MS_BIND, _MS_REC, _MS_SHARED, _MNT_DETACH = 0x1000, 0x4000, 0x100000, 2
_SIOCSIFFLAGS = 0x8914
_libc = ctypes.CDLL(None, use_errno=True)


class ProgramFailed(RuntimeError):
    """A program ended with a status other than 0; the message holds its last words."""


def _check(result: int, what: str) -> None:
    if result != 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{what}: {os.strerror(code)}")


def _mount(source: str, target: str, flags: int) -> None:
    _check(_libc.mount(source.encode(), target.encode(), b"none", flags, None), f"mount {target}")


def _setns(descriptor: int) -> None:
    _check(_libc.setns(descriptor, _CLONE_NEWNET), "setns")


@contextmanager
def entered(namespace: str | None) -> Iterator[None]:
    """The calling thread is in the namespace inside the block. None: stays where the thread is."""
    if namespace is None:
        yield
        return
    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    try:
        there = os.open(NAMED / namespace, os.O_RDONLY | os.O_CLOEXEC)
        try:
            _setns(there)
        finally:
            os.close(there)
        try:
            yield
        finally:
            _setns(home)
    finally:
        os.close(home)


def namespaces() -> set[str]:
    """Names of all named network namespaces."""
    return {entry.name for entry in NAMED.iterdir()} if NAMED.is_dir() else set()


def namespace_exists(name: str) -> bool:
    """Whether the name stands for a live namespace: the file alone may be left over from a half-made one."""
    path = NAMED / name
    return path.exists() and path.stat().st_dev != NAMED.stat().st_dev


def _is_mount_point(path: Path) -> bool:
    """Also for a folder that is bound to itself, which os.path.ismount does not see."""
    with open("/proc/thread-self/mountinfo", encoding="utf-8", errors="replace") as mounts:
        return any(line.split()[4] == str(path) for line in mounts)


def ensure_namespace(name: str) -> None:
    """Make the namespace, with its loopback up, unless it exists."""
    if namespace_exists(name):
        return
    if not _is_mount_point(NAMED):
        # Shared, so that a namespace that is removed here does not live on in another mount namespace.
        NAMED.mkdir(mode=0o755, parents=True, exist_ok=True)
        _mount(str(NAMED), str(NAMED), _MS_BIND | _MS_REC)
        _mount("", str(NAMED), _MS_SHARED | _MS_REC)
    path = NAMED / name
    os.close(os.open(path, os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, 0o444))
    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    try:
        _check(_libc.unshare(_CLONE_NEWNET), "unshare")
        try:
            _mount("/proc/thread-self/ns/net", str(path), _MS_BIND)
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as door:
                fcntl.ioctl(door, _SIOCSIFFLAGS, struct.pack("16sH22x", b"lo", 1))
        finally:
            _setns(home)
    except OSError:
        path.unlink()
        raise
    finally:
        os.close(home)


def remove_namespace(name: str) -> None:
    """Forget the namespace, if there; the kernel takes its devices down once no process is left in it."""
    path = NAMED / name
    if namespace_exists(name):
        _check(_libc.umount2(str(path).encode(), _MNT_DETACH), f"umount {path}")
    path.unlink(missing_ok=True)


def start_in(
    namespace: str | None,
    argv: Sequence[str],
    *,
    stdin: int = subprocess.DEVNULL,
    stdout: int = subprocess.DEVNULL,
    stderr: int = subprocess.DEVNULL,
) -> subprocess.Popen[bytes]:
    """Start a program in the namespace and return at once. Its mounts stay the caller's (unlike `ip netns exec`)."""
    with entered(namespace):
        return subprocess.Popen(argv, stdin=stdin, stdout=stdout, stderr=stderr, close_fds=True)


def run_in(namespace: str | None, argv: Sequence[str], input: str | None = None, timeout: float = 30.0) -> str:
    """Run a program in the namespace to its end and return its output. Raises ProgramFailed, TimeoutExpired."""
    pipe = subprocess.PIPE
    process = start_in(namespace, argv, stdin=pipe, stdout=pipe, stderr=pipe)
    with process:
        try:
            out, err = process.communicate((input or "").encode(), timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
    if process.returncode != 0:
        raise ProgramFailed(
            f"{argv[0]} ended with {process.returncode}: {err.decode(errors='replace').strip()[-2000:]}"
        )
    return out.decode(errors="replace")


def read_sysctl(namespace: str | None, key: str) -> str | None:
    """A /proc/sys value as the namespace sees it; `key` is like net/ipv4/ip_forward. None when there is none."""
    with entered(namespace):
        try:
            return Path("/proc/sys", key).read_text().strip()
        except FileNotFoundError:
            return None


def set_sysctl(namespace: str | None, key: str, value: str) -> None:
    """Write a /proc/sys value as the namespace sees it, when it differs."""
    with entered(namespace):
        path = Path("/proc/sys", key)
        if path.read_text().strip() != value:
            path.write_text(value)
