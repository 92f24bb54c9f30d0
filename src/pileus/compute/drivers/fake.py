"""The fake hypervisor: guests that are a small file each. The whole cloud runs on it without any privilege.

It keeps the driver contract, survives a restart of the agent as a real hypervisor does, and can be told to be slow or
to fail, for tests of everything above it.
"""

import os
import threading
import time
from pathlib import Path
from typing import Literal

import msgspec

from pileus.compute.drivers.base import GuestFacts, GuestFailed, GuestSpec, HostFacts
from pileus.compute.topology.hardware import Cell, Device, DeviceSpec, Hardware, offered

State = Literal["built", "running", "paused", "stopped"]


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the fake is told, mostly by tests."""

    state_dir: str = ""
    """Folder for the guests' files; empty keeps guests in memory alone."""

    vcpus: int = 1000
    memory_mb: int = 4 * 1024 * 1024
    disk_gb: int = 1024 * 1024

    cells: tuple[Cell, ...] = ()
    """NUMA cells; empty: one with all CPUs and memory."""

    devices: tuple[Device, ...] = ()
    """PCI devices of the host; `pci_device_spec` says which of them guests may have."""

    cpu_dedicated_set: str = ""
    cpu_shared_set: str = ""
    pci_device_spec: tuple[DeviceSpec, ...] = ()

    latency: float = 0.0
    """Seconds that each change of a guest takes."""

    failures: dict[str, str] = {}
    """Part of a server's name -> message: building or starting such a server raises GuestFailed with it."""

    ignores_power_button: bool = False
    """Guests do not react to their power button, as ones without ACPI."""


class Guest(msgspec.Struct):
    """What is kept of one guest; `built` has disks but was never started."""

    server_id: str
    name: str
    state: State = "built"
    console: list[str] = []


class Driver:
    """See `pileus.compute.drivers.base.Driver` for each method's contract."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._lock = threading.Lock()
        self._guests: dict[str, Guest] = {}
        self._folder = Path(settings.state_dir) / "fake-guests" if settings.state_dir else None

    def start(self) -> None:
        with self._lock:
            if self._folder is None or self._guests:
                return
            self._folder.mkdir(parents=True, exist_ok=True)
            for file in self._folder.glob("*.json"):
                guest = msgspec.json.decode(file.read_bytes(), type=Guest)
                self._guests[guest.server_id] = guest

    def host_facts(self) -> HostFacts:
        told = self.settings
        cells = told.cells or (Cell(0, tuple((cpu,) for cpu in range(told.vcpus)), told.memory_mb),)
        found = Hardware(cells, told.devices)
        hardware, notes = offered(found, told.cpu_dedicated_set, told.cpu_shared_set, told.pci_device_spec)
        return HostFacts(
            hypervisor_type="fake",
            hypervisor_version=1_000_000,
            vcpus=self.settings.vcpus,
            memory_mb=self.settings.memory_mb,
            disk_gb=self.settings.disk_gb,
            cpu_info={"arch": "x86_64", "model": "fake", "vendor": "Pileus"},
            notes=("the fake hypervisor is in use: servers have no machine behind them", *notes),
            hardware=hardware,
        )

    def guests(self) -> dict[str, GuestFacts]:
        with self._lock:
            started = [guest for guest in self._guests.values() if guest.state != "built"]
            return {guest.server_id: GuestFacts(guest.server_id, guest.state) for guest in started}

    def ensure_disks(self, spec: GuestSpec, base: Path | None) -> None:
        self._take_time(spec.name)
        with self._lock:
            if spec.server_id not in self._guests:
                self._keep(Guest(spec.server_id, spec.name))

    def ensure_running(self, spec: GuestSpec) -> None:
        self._take_time(spec.name)
        with self._lock:
            guest = self._guests.get(spec.server_id)
            if guest is None:
                raise GuestFailed("The hypervisor could not start the server.", f"no disk of {spec.server_id}")
            if guest.state != "running":
                if guest.state != "paused":
                    guest.console += boot_lines(spec)
                self._set(guest, "running")

    def ensure_stopped(self, server_id: str, grace: float) -> None:
        self._take_time()
        if grace > 0 and self.settings.ignores_power_button:
            time.sleep(grace)
        with self._lock:
            guest = self._guests.get(server_id)
            if guest is not None and guest.state in ("running", "paused"):
                if grace > 0 and guest.state == "running" and not self.settings.ignores_power_button:
                    guest.console.append("reboot: Power down")
                self._set(guest, "stopped")

    def ensure_paused(self, server_id: str) -> None:
        self._take_time()
        with self._lock:
            self._set(self._active(server_id), "paused")

    def ensure_unpaused(self, server_id: str) -> None:
        self._take_time()
        with self._lock:
            self._set(self._active(server_id), "running")

    def press_power_button(self, server_id: str) -> None:
        with self._lock:
            guest = self._active(server_id)
            if guest.state == "running" and not self.settings.ignores_power_button:
                guest.console.append("reboot: Power down")
                self._set(guest, "stopped")

    def ensure_absent(self, server_id: str) -> None:
        self._take_time()
        with self._lock:
            self._guests.pop(server_id, None)
            if self._folder is not None:
                self._file(self._folder, server_id).unlink(missing_ok=True)

    def console_log(self, server_id: str, length: int | None) -> str:
        with self._lock:
            guest = self._guests.get(server_id)
            lines = guest.console if guest else []
            shown = lines if length is None else lines[-length:] if length > 0 else []
            return "\n".join(shown)

    def disk_ids(self) -> set[str]:
        with self._lock:
            return set(self._guests)

    def stop(self) -> None:
        """Nothing of its own runs."""

    def _take_time(self, name: str = "") -> None:
        time.sleep(self.settings.latency)
        for part, message in self.settings.failures.items():
            if part in name:
                raise GuestFailed(message, f"told to fail by the setting failures.{part}", permanent=True)

    def _active(self, server_id: str) -> Guest:
        guest = self._guests.get(server_id)
        if guest is None or guest.state not in ("running", "paused"):
            raise GuestFailed("The server is not running.", f"no active guest {server_id}")
        return guest

    def _set(self, guest: Guest, state: State) -> None:
        guest.state = state
        self._keep(guest)

    def _keep(self, guest: Guest) -> None:
        self._guests[guest.server_id] = guest
        if self._folder is not None:
            path = self._file(self._folder, guest.server_id)
            temporary = path.with_suffix(".new")
            temporary.write_bytes(msgspec.json.encode(guest))
            os.replace(temporary, path)

    def _file(self, folder: Path, server_id: str) -> Path:
        return folder / f"{server_id}.json"


def boot_lines(spec: GuestSpec) -> list[str]:
    """What a small Linux guest would say on its serial console."""
    lines = [
        "[    0.000000] Linux version 6.1.0-fake (pileus@fake) #1 SMP",
        f"[    0.010000] Memory: {spec.memory_mb * 1024}K available",
        f"[    0.020000] smp: Brought up 1 node, {spec.vcpus} CPU{'s' if spec.vcpus > 1 else ''}",
    ]
    lines += [f"[    0.5{index}0000] virtio_net virtio{index}: {nic.mac}" for index, nic in enumerate(spec.nics)]
    return [*lines, "=== system boot complete ===", "", f"{spec.name} login: "]
