"""The libvirt driver: each method of the driver contract, put together from this folder's parts."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import libvirt

from pileus.compute.drivers.base import GuestFacts, GuestFailed, GuestSpec, HostFacts
from pileus.compute.drivers.libvirt import capabilities, console, disks, domains, machine
from pileus.compute.drivers.libvirt.connection import Connection
from pileus.compute.drivers.libvirt.daemon import Daemon
from pileus.compute.drivers.libvirt.domain_xml import Platform, domain_name, domain_xml
from pileus.compute.drivers.libvirt.guest_files import GuestFiles
from pileus.compute.drivers.libvirt.kvm import KvmVerdict, kvm_verdict
from pileus.compute.drivers.libvirt.qemu_user import find_qemu_user
from pileus.compute.drivers.libvirt.settings import Settings
from pileus.compute.topology.hardware import offered

T = TypeVar("T")

EMULATED_CPU = "Nehalem"  # the x86-64-v2 level, which today's distributions ask for, and little more to emulate


class Driver:
    """Guests on QEMU or KVM through libvirt. See `pileus.compute.drivers.base.Driver` for each method's contract."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.state = Path(settings.state_dir).resolve()
        user = find_qemu_user(settings.qemu_user)
        self.files = GuestFiles(self.state / "guests", user)
        daemon = None if settings.uri else Daemon(self.state, user, self._uses_kvm)
        self.daemon = daemon
        self.connection = Connection(settings.uri, daemon, settings.call_timeout)
        self._verdict: KvmVerdict | None = None

    def start(self) -> None:
        self.state.mkdir(mode=0o711, parents=True, exist_ok=True)
        self.state.chmod(self.state.stat().st_mode | 0o011)
        self.files.prepare()
        self._call(lambda connection: connection.getVersion())  # makes libvirt look at qemu now, not at the first boot

    def host_facts(self) -> HostFacts:
        platform = self._platform()
        notes = () if platform.virt_type == "kvm" else (self._why_emulated(),)
        told = self.settings
        found = self._call(lambda connection: machine.hardware(connection, devices=bool(told.pci_device_spec)))
        hardware, missing = offered(found, told.cpu_dedicated_set, told.cpu_shared_set, told.pci_device_spec)
        return self._call(
            lambda connection: capabilities.host_facts(
                connection,
                self.state,
                platform.virt_type,
                platform.cpu_model,
                (*notes, *missing, *machine.notes(hardware)),
                hardware,
            )
        )

    def guests(self) -> dict[str, GuestFacts]:
        found = self._call(domains.all_guests)
        for server_id in found:
            for log in self._logs(server_id):
                console.trim(log, self.settings.console_log_bytes)
        return found

    def ensure_disks(self, spec: GuestSpec, base: Path | None) -> None:
        disks.ensure_disks(self.files, spec, base)

    def ensure_running(self, spec: GuestSpec) -> None:
        xml = domain_xml(spec, self.files, self._platform())
        if not self.files.root_disk(spec).exists():
            raise GuestFailed("The hypervisor could not start the server.", f"{spec.server_id} has no root disk")
        self.files.make(self.files.console(spec.server_id), lambda path: path.touch())
        self._call(lambda connection: domains.run(connection, spec.server_id, xml))

    def ensure_stopped(self, server_id: str, grace: float) -> None:
        self._call(lambda connection: domains.stop(connection, server_id, grace))

    def ensure_paused(self, server_id: str) -> None:
        self._call(lambda connection: domains.pause(connection, server_id))

    def ensure_unpaused(self, server_id: str) -> None:
        self._call(lambda connection: domains.unpause(connection, server_id))

    def press_power_button(self, server_id: str) -> None:
        self._call(lambda connection: domains.press_power_button(domains.find_active(connection, server_id)))

    def ensure_absent(self, server_id: str) -> None:
        self._call(lambda connection: domains.remove(connection, server_id))
        for log in self._logs(server_id):
            log.unlink(missing_ok=True)
        self.files.remove(server_id)

    def console_log(self, server_id: str, length: int | None) -> str:
        return console.read_tail(self.files.console(server_id), length, self.settings.console_log_bytes)

    def disk_ids(self) -> set[str]:
        return self.files.ids()

    def stop(self) -> None:
        self.connection.drop()
        if self.daemon is not None:
            self.daemon.stop()

    def _logs(self, server_id: str) -> list[Path]:
        """Files that qemu, or the guest through it, may fill."""
        own = [self.daemon.guest_log(domain_name(server_id))] if self.daemon is not None else []
        return [self.files.console(server_id), *own]

    def _call(self, work: Callable[[libvirt.virConnect], T]) -> T:
        try:
            return self.connection.call(work)
        except libvirt.libvirtError as error:
            raise GuestFailed("The hypervisor refused the operation.", str(error)) from error

    def _kvm(self) -> KvmVerdict:
        if self._verdict is None:
            self._verdict = kvm_verdict(self.state / "kvm.json")
        return self._verdict

    def _why_emulated(self) -> str:
        return self._kvm().reason if self.settings.virt_type == "auto" else "guests run by emulation: virt_type is qemu"

    def _uses_kvm(self) -> bool:
        return self.settings.virt_type == "kvm" or (self.settings.virt_type == "auto" and self._kvm().usable)

    def _platform(self) -> Platform:
        kvm = self._uses_kvm()
        model = self.settings.cpu_model or ("host-passthrough" if kvm else EMULATED_CPU)
        return Platform("kvm" if kvm else "qemu", model, self.settings.machine, self.settings.cpu_shared_set)
