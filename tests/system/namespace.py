"""A network namespace of the test run's own: the whole cloud lives in it, with no way out."""

import ctypes
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

CLONE_NEWNET = 0x40000000


def _enter(path: str) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        if ctypes.CDLL(None, use_errno=True).setns(handle, CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), f"cannot enter {path}")
    finally:
        os.close(handle)


@contextmanager
def network_namespace(name: str) -> Iterator[str]:
    """This process (and all that it starts) is inside until the block ends."""
    subprocess.run(["ip", "netns", "add", name], check=True)
    home = os.open("/proc/self/ns/net", os.O_RDONLY)
    _enter(f"/run/netns/{name}")
    try:
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        yield name
    finally:
        _enter(f"/proc/self/fd/{home}")
        os.close(home)
        subprocess.run(["ip", "netns", "delete", name], check=True)
