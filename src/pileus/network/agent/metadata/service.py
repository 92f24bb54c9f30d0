"""Metadata for guests: a listening socket in each router's (or isolated network's) namespace, one proxy, one agent."""

import asyncio
import os
import shutil
import socket
import threading
from pathlib import Path

from pileus.network.agent.metadata.agent import MetadataAgent
from pileus.network.agent.metadata.directory import NETWORK, ROUTER, directory
from pileus.network.agent.metadata.process import ProxyProcess, Serving, listening
from pileus.network.agent.metadata.proxy import AGENT_SOCKET, NOBODY
from pileus.network.agent.namespaces import NAMED, entered
from pileus.network.agent.snapshot import HostNetwork, Snapshot

METADATA_ADDRESS = "169.254.169.254"
_RESTART_SECONDS = 0.2


class MetadataService:
    """Applier of the metadata path. Runs a thread with an event loop, and the proxy's process."""

    def __init__(self, settings: HostNetwork) -> None:
        self._settings = settings
        self._folder = Path(settings.state).absolute() / "metadata"
        self._proxy = ProxyProcess(self._folder)
        self._agent = MetadataAgent(settings, lambda: self._proxy.pid)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._known: Snapshot | None = None

    def start(self) -> None:
        """Raises OSError when the socket or the proxy can not be made."""
        self._folder.mkdir(mode=0o755, parents=True, exist_ok=True)
        sock = self._bind()
        loop = asyncio.new_event_loop()
        server = loop.run_until_complete(asyncio.start_unix_server(self._agent.serve, sock=sock))
        self._watch(loop, self._proxy.start())
        self._thread = threading.Thread(target=self._run, args=(loop, server), name="metadata agent", daemon=True)
        self._loop = loop
        self._thread.start()

    def apply(self, snapshot: Snapshot) -> dict[str, str]:
        """Faults by router or network id."""
        known = self._known
        if known is None or known.networks != snapshot.networks or known.routers != snapshot.routers:
            self._agent.askers = directory(snapshot)
            self._known = snapshot
        faults: dict[str, str] = {}
        wanted = self._wanted(snapshot)
        for name in self._proxy.names() - wanted.keys():
            self._proxy.remove(name)
        for name, (header, id, address, port) in wanted.items():
            try:
                status = os.stat(NAMED / name)
                serving = Serving(header, id, address, port, (status.st_dev, status.st_ino))
                if self._proxy.serving(name) != serving:
                    with entered(name):
                        sock = listening(address, port)
                    self._proxy.add(name, serving, sock)
            except OSError as error:
                self._proxy.remove(name)
                faults[id] = f"metadata is not served: {error}"
        return faults

    def leaks(self, snapshot: Snapshot) -> list[str]:
        """Namespaces that are still listened in."""
        return [f"metadata socket in {name}" for name in sorted(self._proxy.names() - self._wanted(snapshot).keys())]

    def stop(self, remove: bool) -> None:
        """The proxy ends with the agent; guests get through again when the next one starts."""
        if self._loop is not None and self._thread is not None:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop = self._thread = None
        self._proxy.stop()
        for name in self._proxy.names():
            self._proxy.remove(name)
        (self._folder / AGENT_SOCKET).unlink(missing_ok=True)
        if remove and self._folder.is_dir():
            shutil.rmtree(self._folder)

    def _wanted(self, snapshot: Snapshot) -> dict[str, tuple[str, str, str, int]]:
        """Namespace -> (mark, id, address or any, port). A router gets there by a redirect, an isolated network owns the address."""
        port = self._settings.metadata_port
        wanted = {
            f"qrouter-{router.id}": (ROUTER, router.id, "", port)
            for router in snapshot.routers
            if router.admin_state_up
        }
        for network in snapshot.networks:
            if network.dhcp is not None and network.dhcp.serves_metadata:
                wanted[f"qdhcp-{network.id}"] = (NETWORK, network.id, METADATA_ADDRESS, 80)
        return wanted

    def _bind(self) -> socket.socket:
        """The agent's socket, for the proxy alone. Bound by way of the folder's descriptor: a path may be too long."""
        (self._folder / AGENT_SOCKET).unlink(missing_ok=True)
        folder = os.open(self._folder, os.O_PATH)
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            sock.bind(f"/proc/self/fd/{folder}/{AGENT_SOCKET}")
            os.chmod(AGENT_SOCKET, 0o600, dir_fd=folder)
            if os.geteuid() == 0:
                os.chown(AGENT_SOCKET, NOBODY, NOBODY, dir_fd=folder)
        except OSError:
            sock.close()
            raise
        finally:
            os.close(folder)
        return sock

    def _watch(self, loop: asyncio.AbstractEventLoop, control: socket.socket) -> None:
        """Start the proxy again when its control socket ends."""

        def ended() -> None:
            loop.remove_reader(control)
            loop.call_later(_RESTART_SECONDS, lambda: self._watch(loop, self._proxy.start()))

        loop.add_reader(control, ended)

    def _run(self, loop: asyncio.AbstractEventLoop, server: asyncio.Server) -> None:
        loop.run_forever()
        server.close()
        tasks = asyncio.all_tasks(loop)
        for task in tasks:
            task.cancel()
        if tasks:
            loop.run_until_complete(asyncio.wait(tasks, timeout=5))
        loop.close()
