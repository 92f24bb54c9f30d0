"""One connection to libvirtd for all threads: kept alive, and opened anew when it broke."""

import contextlib
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol, TypeVar

import libvirt

from pileus.compute.drivers.base import GuestFailed

T = TypeVar("T")

RETRY_SECONDS = 0.05

BROKEN = frozenset(
    {
        libvirt.VIR_ERR_RPC,
        libvirt.VIR_ERR_SYSTEM_ERROR,
        libvirt.VIR_ERR_NO_CONNECT,
        libvirt.VIR_ERR_INVALID_CONN,
        libvirt.VIR_ERR_INTERNAL_ERROR,
    }
)


class StartsDaemon(Protocol):
    """What a connection needs of a private daemon."""

    @property
    def socket(self) -> Path: ...

    def start(self) -> None: ...

    def kill(self) -> None: ...


class EventLoop:
    """libvirt's event loop, one thread for the whole process: keepalive needs it."""

    _lock = threading.Lock()
    _running = False

    @classmethod
    def ensure(cls) -> None:
        with cls._lock:
            if cls._running:
                return
            libvirt.registerErrorHandler(lambda *_: None, None)  # errors are raised, not printed as well
            libvirt.virEventRegisterDefaultImpl()
            threading.Thread(target=cls._run, name="libvirt-events", daemon=True).start()
            cls._running = True

    @staticmethod
    def _run() -> None:
        while True:
            libvirt.virEventRunDefaultImpl()


class Connection:
    """`call(f)` runs f(connection); where the daemon has gone it is started, and f is run once more."""

    def __init__(self, uri: str, daemon: StartsDaemon | None, timeout: int) -> None:
        self._uri = uri
        self._daemon = daemon
        self._timeout = timeout
        self._lock = threading.Lock()
        self._open: libvirt.virConnect | None = None
        self._hangs = False

    def call(self, work: Callable[[libvirt.virConnect], T]) -> T:
        """The result of `work`; it must be safe to run twice. Raises libvirt.libvirtError for the hypervisor's own refusals."""
        connection = self.get()
        try:
            return work(connection)
        except libvirt.libvirtError as error:
            if not lost(connection, error):
                raise
        self.drop(connection)
        return work(self.get())

    def get(self) -> libvirt.virConnect:
        """An open connection, for calls that must not be repeated blindly."""
        with self._lock:
            if self._open is None:
                self._open = self._connect()
            return self._open

    def drop(self, connection: libvirt.virConnect | None = None) -> None:
        """Forget `connection` (None: whichever is open)."""
        with self._lock:
            if self._open is not None and connection in (None, self._open):
                with contextlib.suppress(libvirt.libvirtError):  # it is closed then
                    self._open.close()
                self._open = None

    def _connect(self) -> libvirt.virConnect:
        EventLoop.ensure()
        end = time.monotonic() + 2 * self._timeout
        while True:
            try:
                opened = self._open_once()
                opened.registerCloseCallback(self._on_close, None)
                opened.setKeepAlive(max(self._timeout // 4, 1), 3)
                return opened
            except libvirt.libvirtError as error:
                if time.monotonic() > end:
                    raise GuestFailed("The hypervisor cannot be reached.", str(error)) from error
                time.sleep(RETRY_SECONDS)  # a daemon that is just ending, or just starting

    def _open_once(self) -> libvirt.virConnect:
        if self._daemon is None:
            return libvirt.open(self._uri)
        if self._hangs:  # it holds its connections but answers none; guests do not mind its end
            self._daemon.kill()
            self._hangs = False
        self._daemon.start()
        watchdog = threading.Timer(self._timeout, self._daemon.kill)  # opening has no time limit of its own
        watchdog.start()
        try:
            return open_socket(self._daemon.socket)
        finally:
            watchdog.cancel()

    def _on_close(self, _: libvirt.virConnect, reason: int, __: object) -> None:
        self._hangs = reason == libvirt.VIR_CONNECT_CLOSE_REASON_KEEPALIVE


def open_socket(socket: Path) -> libvirt.virConnect:
    """Connect to a socket whose path may be longer than the 107 bytes that a socket's address can hold."""
    folder = os.open(socket.parent, os.O_PATH | os.O_DIRECTORY)
    try:
        return libvirt.open(f"qemu:///system?socket=/proc/self/fd/{folder}/{socket.name}")
    finally:
        os.close(folder)


def lost(connection: libvirt.virConnect, error: libvirt.libvirtError) -> bool:
    """Whether `error` means that the daemon went away under the call."""
    if error.get_error_domain() in (libvirt.VIR_FROM_RPC, libvirt.VIR_FROM_REMOTE) and error.get_error_code() in BROKEN:
        return True
    try:
        return bool(connection.isAlive() != 1)
    except libvirt.libvirtError:
        return True
