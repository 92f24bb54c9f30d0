"""The proxy's process and the sockets it serves: kept by the agent, so that a proxy that dies drops no namespace."""

import json
import socket
import subprocess
import sys
import threading
from pathlib import Path

import msgspec

_IP_FREEBIND = 15
# The proxy speaks no TLS: asyncio works as well without that module, and takes 4 MB less.
_PROGRAM = """
import sys
sys.modules["ssl"] = None
from pileus.network.agent.metadata.proxy import main
main()
"""


class Serving(msgspec.Struct, frozen=True):
    """A socket to be served: where it listens, what marks its requests, and which namespace it was made in."""

    header: str
    id: str
    address: str
    port: int
    namespace_id: tuple[int, int]  # device and inode: a namespace made anew has another


def listening(address: str, port: int) -> socket.socket:
    """A listening TCP socket in the namespace of the calling thread; the address may come later. Raises OSError."""
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.setsockopt(socket.IPPROTO_IP, _IP_FREEBIND, 1)
        made.bind((address, port))
        made.listen(64)
    except OSError:
        made.close()
        raise
    return made


class ProxyProcess:
    """Thread-safe. After `start`, a proxy that ends is to be started again with all its sockets by calling `start` again."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._sockets: dict[str, tuple[Serving, socket.socket]] = {}
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None

    @property
    def pid(self) -> int:
        return self._process.pid if self._process is not None else -1

    def start(self) -> socket.socket:
        """A new process; returns the control socket, which reads as ended when the process is gone."""
        self.stop()
        control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        control.settimeout(5)
        # Its own network namespace is empty: what it can reach is the agent's socket and who connects.
        argv = ["unshare", "--net", "--", sys.executable, "-s", "-S", "-c", _PROGRAM]
        environment = {"PYTHONPATH": ":".join(filter(None, sys.path)), "PYTHONDONTWRITEBYTECODE": "1"}
        with theirs:
            # Its own session, too: a Ctrl-C in the terminal is for the agent, which then ends it.
            process = subprocess.Popen(
                argv, stdin=theirs.fileno(), cwd=self._folder, env=environment, start_new_session=True
            )
        with self._lock:
            self._process, self._control = process, control
            for name, (serving, sock) in self._sockets.items():
                self._send({"listen": name, "header": serving.header, "id": serving.id}, [sock.fileno()])
        return control

    def stop(self) -> None:
        """End the process; the sockets stay."""
        with self._lock:
            process, control = self._process, self._control
            self._process = self._control = None
        if control is not None:
            control.close()
        if process is not None:
            process.kill()
            process.wait()

    def serving(self, name: str) -> Serving | None:
        found = self._sockets.get(name)
        return found[0] if found else None

    def names(self) -> set[str]:
        return set(self._sockets)

    def add(self, name: str, serving: Serving, sock: socket.socket) -> None:
        self.remove(name)
        with self._lock:
            self._sockets[name] = serving, sock
            self._send({"listen": name, "header": serving.header, "id": serving.id}, [sock.fileno()])

    def remove(self, name: str) -> None:
        with self._lock:
            former = self._sockets.pop(name, None)
            if former is not None:
                self._send({"close": name}, [])
                # Ends the listening at once, whenever the process gets to its own copy.
                former[1].shutdown(socket.SHUT_RDWR)
                former[1].close()

    def _send(self, order: dict[str, str], descriptors: list[int]) -> None:
        if self._control is None:
            return
        try:
            socket.send_fds(self._control, [json.dumps(order).encode()], descriptors)
        except OSError:
            return  # the process is gone: its successor is told everything
