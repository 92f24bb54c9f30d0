"""What the contract suite needs of each driver: a way to restart it, to hurt it, and to see what it left."""

import ctypes
import os
import shutil
import signal
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from pileus.compute.drivers.base import Driver, GuestSpec, ImageRef, NicSpec

CLONE_NEWNET = 0x40000000
LIBVIRT_NEEDS = ("libvirtd", "qemu-system-x86_64", "qemu-img", "mkswap", "mkfs.ext4", "ip")


class Rig:
    """A driver on a folder; `make` builds another driver on it, as a restarted agent does."""

    def __init__(self, make: Callable[[], Driver], folder: Path) -> None:
        self.make = make
        self.folder = folder
        self.driver = make()
        self.driver.start()

    def restart_agent(self) -> None:
        self.driver = self.make()
        self.driver.start()

    def kill_daemon(self) -> None:
        """kill -9 of what the driver has started, guests excepted. Nothing for a driver without a daemon."""

    def processes(self, server_id: str) -> list[int]:
        """Processes that name the server; always none for a driver whose guests are no processes."""
        return []

    def left_of(self, server_id: str) -> list[str]:
        """All traces of a server on this host."""
        files = [str(path) for path in self.folder.rglob("*") if server_id in str(path)]
        known = [server_id] if server_id in self.driver.guests() or server_id in self.driver.disk_ids() else []
        return files + known + [str(pid) for pid in self.processes(server_id)]

    def wait_for(self, server_id: str, state: str, seconds: float = 10.0) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            facts = self.driver.guests().get(server_id)
            if facts is not None and facts.state == state:
                return
            time.sleep(0.05)
        raise AssertionError(f"not {state} within {seconds} s: {self.driver.guests()}")


class LibvirtRig(Rig):
    def kill_daemon(self) -> None:
        pid = int((self.folder / "libvirtd" / "run" / "libvirtd.pid").read_text())
        assert Path(f"/proc/{pid}/comm").read_text() == "libvirtd\n"
        os.kill(pid, signal.SIGKILL)

    def processes(self, server_id: str) -> list[int]:
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    if server_id.encode() in (entry / "cmdline").read_bytes():
                        found.append(int(entry.name))
                except OSError:
                    continue
        return found


def why_no_libvirt() -> str:
    """Why the libvirt driver cannot be tested on this machine; "" where it can."""
    if os.geteuid() != 0:
        return "needs root"
    missing = [name for name in LIBVIRT_NEEDS if shutil.which(name) is None]
    return f"needs {', '.join(missing)}" if missing else ""


@contextmanager
def own_network() -> Iterator[None]:
    """This thread, and what it starts, in a network namespace that goes with its last process."""
    libc = ctypes.CDLL(None, use_errno=True)
    before = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    try:
        assert libc.unshare(CLONE_NEWNET) == 0, os.strerror(ctypes.get_errno())
        yield
    finally:
        assert libc.setns(before, CLONE_NEWNET) == 0, os.strerror(ctypes.get_errno())
        os.close(before)


def a_server(
    name: str = "server",
    *,
    root_gb: int = 1,
    memory_mb: int = 64,
    ephemeral_gb: int = 0,
    swap_mb: int = 0,
    image: ImageRef | None = None,
    nics: tuple[NicSpec, ...] = (),
    config_drive: dict[str, bytes] | None = None,
) -> GuestSpec:
    """A small guest with an id of its own; without an image its root disk is blank."""
    return GuestSpec(
        server_id=str(uuid.uuid4()),
        name=name,
        project_id="5f0c9b1e",
        vcpus=1,
        memory_mb=memory_mb,
        root_gb=root_gb,
        ephemeral_gb=ephemeral_gb,
        swap_mb=swap_mb,
        image=image,
        nics=nics,
        config_drive=config_drive,
    )


READY = "guest is ready"


def boot_sector() -> bytes:
    """A guest in one sector: says READY on its serial port, waits for its power button, switches itself off.

    Ports of the `pc` machine's ACPI block: 0x600 status (bit 8: the button), 0x602 enable, 0x604 control (bit 13: off).
    """
    say = b"".join(b"\xba\xf8\x03\xb0" + bytes([byte]) + b"\xee" for byte in f"{READY}\n".encode())
    enable = b"\xba\x02\x06\xb8\x00\x01\xef"
    wait = b"\xba\x00\x06\xed\xf6\xc4\x01\x74\xf7"
    switch_off = b"\xba\x04\x06\xb8\x00\x20\xef\xf4\xeb\xfd"
    return (enable + say + wait + switch_off).ljust(510, b"\0") + b"\x55\xaa"
