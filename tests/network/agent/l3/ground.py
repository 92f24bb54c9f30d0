"""A machine of one's own inside this one: private namespaces and /run/netns, bridges, and guests on veth cables."""

import ctypes
import os
import socket
import subprocess
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pileus.network.agent.names import bridge_name
from pileus.network.agent.namespaces import ensure_namespace, entered, run_in
from pileus.network.agent.netlink import Netlink, Route
from pileus.network.agent.snapshot import Network

_NEWNS, _NEWNET = 0x00020000, 0x40000000
_libc = ctypes.CDLL(None, use_errno=True)
_LEASE_SCRIPT = """#!/bin/busybox sh
test "$1" = bound && env > {path}
exit 0
"""


def fresh_id() -> str:
    return str(uuid.uuid4())


def _check(result: int) -> None:
    if result:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


@contextmanager
def own_machine() -> Iterator[None]:
    """The calling thread gets network and mount namespaces of its own; what is made inside is gone afterwards."""
    root, folder = os.open("/", os.O_RDONLY), Path.cwd()
    saved = [
        (os.open(f"/proc/thread-self/ns/{kind}", os.O_RDONLY), flag)
        for kind, flag in (("mnt", _NEWNS), ("net", _NEWNET))
    ]
    _check(_libc.unshare(_NEWNS | _NEWNET))
    try:
        _check(_libc.mount(b"none", b"/", None, 0x4000 | 0x40000, None))  # recursive, private
        Path("/run/netns").mkdir(exist_ok=True)
        _check(_libc.mount(b"none", b"/run/netns", b"tmpfs", 0, None))
        with Netlink() as host:
            host.set_up("lo")
        yield
    finally:
        _check(_libc.unshare(0x200))  # a thread that is still there would share this one's view of files
        for descriptor, flag in saved:
            _check(_libc.setns(descriptor, flag))
            os.close(descriptor)
        # Entering a mount namespace leads to its root, which need not be where this process had its own.
        os.fchdir(root)
        os.chroot(".")
        os.close(root)
        os.chdir(folder)


def bridge(network: Network) -> None:
    with Netlink() as host:
        host.ensure_bridge(bridge_name(network.id))
        host.set_up(bridge_name(network.id))


class Guest:
    """A namespace with `eth0` on a network's bridge."""

    def __init__(self, network: Network, mac: str) -> None:
        self.namespace = f"guest-{uuid.uuid4().hex[:8]}"
        ensure_namespace(self.namespace)
        self.port = f"vg{self.namespace[-8:]}"
        with Netlink() as host:
            host.ensure_veth(self.port, "eth0", self.namespace)
            host.set_master(self.port, bridge_name(network.id))
            host.set_up(self.port)
        with Netlink(self.namespace) as inside:
            inside.set_mac("eth0", mac)
            inside.set_up("eth0")

    def configure(self, address: str, gateway: str | None = None) -> None:
        with Netlink(self.namespace) as inside:
            inside.ensure_addresses("eth0", {address})
            if gateway:
                inside.ensure_routes({Route("0.0.0.0/0", gateway, "eth0")})

    def lease(
        self, folder: Path, seconds: int = 8, options: tuple[str, ...] = (), client: str = "udhcpc"
    ) -> dict[str, str]:
        """What busybox's DHCP client got; raises ProgramFailed when it got nothing."""
        script, result = folder / f"{self.namespace}.sh", folder / f"{self.namespace}.env"
        result.unlink(missing_ok=True)
        script.write_text(_LEASE_SCRIPT.format(path=result))
        script.chmod(0o755)
        asked = [word for option in ("staticroutes", "mtu", *options) for word in ("-O", option)]
        limits = ["-n", "-q", "-f", "-t", str(seconds), "-T", "1"]
        run_in(self.namespace, ["busybox", "udhcpc", "-i", "eth0", *limits, "-s", str(script), *asked])
        return dict(line.split("=", 1) for line in result.read_text().splitlines() if "=" in line)

    def pings(self, address: str) -> bool:
        with entered(self.namespace):
            ping = ["ping", "-n", "-q", "-c", "1", "-W", "2", address]
            return subprocess.run(ping, capture_output=True, timeout=10, check=False).returncode == 0

    def connect(self, address: str, port: int, seconds: float = 3) -> socket.socket:
        """A TCP connection from inside; OSError when there is none."""
        with entered(self.namespace):
            made = socket.socket()
        made.settimeout(seconds)
        try:
            made.connect((address, port))
        except OSError:
            made.close()
            raise
        return made

    def listen(self, port: int) -> socket.socket:
        with entered(self.namespace):
            made = socket.socket()
        made.settimeout(5)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind(("", port))
        made.listen(8)
        return made
