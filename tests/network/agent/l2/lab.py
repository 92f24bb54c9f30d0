"""Namespaces that stand for hosts and guests: a guest is a namespace whose frames go through a host's tap, as qemu's would."""

import fcntl
import os
import selectors
import socket
import struct
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self

from pileus.network.agent.names import tap_name
from pileus.network.agent.namespaces import ensure_namespace, entered, remove_namespace
from pileus.network.agent.netlink import Netlink, Route
from pileus.network.agent.snapshot import FixedIp, Port

_TUNSETIFF = 0x400454CA
_TAP_NO_PI = 0x1002


_MADE: set[str] = set()


def new_id() -> str:
    made = str(uuid.uuid4())
    _MADE.add(made)
    return made


def own(leaks: list[str]) -> list[str]:
    """Of these leaks, those with an id of this test run: namespaces are seen by all that runs on a machine."""
    return [leak for leak in leaks if any(made[:11] in leak for made in _MADE)]


def attach(namespace: str, device: str) -> int:
    """Open a tap as a hypervisor does; frames are read and written on the descriptor."""
    with entered(namespace):
        descriptor = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
    fcntl.ioctl(descriptor, _TUNSETIFF, struct.pack("=16sH22x", device.encode(), _TAP_NO_PI))
    return descriptor


class Guest:
    """Two taps and a cable: `eth0` in the guest's namespace, and the host's tap. `heard` are frames the host let in."""

    def __init__(self, host: str, port: Port, prefix: int = 24, gateway: str | None = None) -> None:
        self.port, self.heard = port, list[bytes]()
        self.namespace = f"plt-{port.id[:8]}"
        ensure_namespace(self.namespace)
        self._inside = attach(self.namespace, "eth0")
        with Netlink(self.namespace) as netlink:
            netlink.set_mac("eth0", port.mac)
            netlink.set_mtu("eth0", 1400)
            netlink.set_up("eth0")
            lengths = {4: prefix, 6: 64}
            addresses = [fixed.ip_address for fixed in port.fixed_ips]
            netlink.ensure_addresses("eth0", {f"{one}/{lengths[6 if ':' in one else 4]}" for one in addresses})
            if gateway is not None:
                netlink.ensure_routes({Route("0.0.0.0/0", gateway, "eth0")})
        self._outside = attach(host, tap_name(port.id))
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._carry, daemon=True)
        self._thread.start()

    def inject(self, frame: bytes) -> None:
        """Send a frame as if the guest had made it."""
        os.write(self._outside, frame)

    def hears(self, is_it: Callable[[bytes], bool], seconds: float = 2.0) -> bool:
        """Whether a frame came in, or comes in soon."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if any(map(is_it, list(self.heard))):
                return True
            time.sleep(0.01)
        return False

    def close(self) -> None:
        self._stopping.set()
        self._thread.join(5)
        os.close(self._inside)
        os.close(self._outside)
        remove_namespace(self.namespace)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _carry(self) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._inside, selectors.EVENT_READ, self._outside)
            selector.register(self._outside, selectors.EVENT_READ, self._inside)
            while not self._stopping.is_set():
                for key, _ in selector.select(0.05):
                    try:
                        frame = os.read(key.fd, 65536)
                        if key.fd == self._outside:
                            self.heard.append(frame)
                        os.write(key.data, frame)
                    except OSError:
                        continue  # a device that is down or gone loses frames, as a cable would


@contextmanager
def namespace(name: str) -> Iterator[str]:
    """A namespace with a name of our own for the length of a test."""
    name = f"plt-{name}-{uuid.uuid4().hex[:4]}"
    ensure_namespace(name)
    try:
        yield name
    finally:
        remove_namespace(name)


def port_of(network_id: str, mac: str, *addresses: str, groups: tuple[str, ...] = (), security: bool = True) -> Port:
    fixed = tuple(FixedIp("subnet", address) for address in addresses)
    return Port(new_id(), network_id, mac, fixed, True, security, "compute:nova", groups)


def answers(host: str, address: str, port: int, seconds: float = 4.0) -> bool:
    """Whether a TCP connection from the namespace is accepted."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with entered(host):
        client = socket.socket(family, socket.SOCK_STREAM)
    with client:
        client.settimeout(seconds)
        return client.connect_ex((address, port)) == 0


def listen(host: str, port: int, family: int = socket.AF_INET) -> socket.socket:
    with entered(host):
        server = socket.socket(family, socket.SOCK_STREAM)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    server.bind(("", port))
    server.listen(8)
    server.settimeout(3)
    return server
