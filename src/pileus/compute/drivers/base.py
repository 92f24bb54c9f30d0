"""What a hypervisor driver must offer, and the shapes that the agent hands it.

A driver is level-triggered: every method is an `ensure`, names on the host derive from the server's id, and calling twice
equals calling once. A driver keeps no state of its own that the hypervisor or the disk does not hold, so the agent may be
killed at any moment. Methods block; the agent calls them from threads, one at a time for each server.
"""

from pathlib import Path
from typing import Protocol

import msgspec

from pileus.compute.topology.guest import CpuLayout, GuestHardware
from pileus.compute.topology.hardware import Hardware


class ImageRef(msgspec.Struct, frozen=True):
    """The image that a root disk starts from. Where it has no hash, size and format are all that can be checked."""

    id: str
    disk_format: str
    size: int  # bytes of the stored file; 0: not known
    hash_value: str  # hex
    properties: dict[str, str] = {}  # hw_* and os_* image properties
    hash_algorithm: str = "sha512"  # by hashlib's name; "": none
    container_format: str = "bare"


class NicSpec(msgspec.Struct, frozen=True):
    """One network card; the tap exists before the guest starts."""

    port_id: str
    mac: str
    tap: str
    mtu: int


class GuestSpec(msgspec.Struct, frozen=True):
    """All that is needed to build one guest from nothing. Sizes: memory MiB, disks GiB."""

    server_id: str
    name: str
    project_id: str
    vcpus: int
    memory_mb: int
    root_gb: int
    ephemeral_gb: int = 0
    swap_mb: int = 0
    image: ImageRef | None = None
    nics: tuple[NicSpec, ...] = ()
    config_drive: dict[str, bytes] | None = None  # path on the drive -> content; None: no drive
    extra_specs: dict[str, str] = {}
    cpu_layout: CpuLayout | None = None  # None: a socket for each virtual CPU
    hardware: GuestHardware | None = None  # its part of the host; None: it floats


class GuestFacts(msgspec.Struct, frozen=True):
    """What the hypervisor says of one guest. `state` is one of running, paused, stopped, crashed."""

    server_id: str
    state: str


class HostFacts(msgspec.Struct, frozen=True):
    """What this host offers: the source of its inventory, traits and of the `hypervisors` API."""

    hypervisor_type: str  # QEMU, KVM, fake
    hypervisor_version: int
    vcpus: int
    memory_mb: int
    disk_gb: int
    cpu_info: dict[str, str] = {}
    traits: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()  # lines for `pileus status`: degraded things and why
    hardware: Hardware = Hardware()


class GuestFailed(Exception):
    """A step failed. `message` is for the user (no paths, no tenants), `detail` for the operator."""

    def __init__(self, message: str, detail: str = "", permanent: bool = False) -> None:
        super().__init__(f"{message} ({detail})" if detail else message)
        self.message = message
        self.detail = detail
        self.permanent = permanent


class Driver(Protocol):
    """The required part. Live migration, volumes, rescue, snapshots come as further Protocols (CanLiveMigrate, …)."""

    def start(self) -> None:
        """Bring the hypervisor's own daemon up, or find it running; safe to repeat after it died."""

    def host_facts(self) -> HostFacts: ...

    def guests(self) -> dict[str, GuestFacts]:
        """All guests of this cloud on this host, by server id; one call to the hypervisor, not one a guest."""

    def ensure_disks(self, spec: GuestSpec, base: Path | None) -> None:
        """Root overlay on `base` (a cached, verified, read-only file in `spec.image.disk_format`), ephemeral, swap, config drive.

        Existing disks of this server are kept. Written under a temporary name and renamed: a crash leaves none half made.
        """

    def ensure_running(self, spec: GuestSpec) -> None:
        """Defined as `spec` says and running (not paused); a guest that runs already is left alone."""

    def ensure_stopped(self, server_id: str, grace: float) -> None:
        """Stopped, disks kept: the power button first, after `grace` seconds pulled; 0 pulls at once. Absent guest: nothing to do."""

    def ensure_paused(self, server_id: str) -> None: ...

    def ensure_unpaused(self, server_id: str) -> None: ...

    def press_power_button(self, server_id: str) -> None:
        """Ask the guest's system to shut down (ACPI), without waiting."""

    def ensure_absent(self, server_id: str) -> None:
        """No domain, no disk, no console file, no config drive of this server."""

    def console_log(self, server_id: str, length: int | None) -> str:
        """The last `length` lines of the serial console, joined by new lines; None: all that is kept. Undecodable bytes replaced."""

    def disk_ids(self) -> set[str]:
        """Server ids that have anything on this host's disk: with `guests()` the whole of what may leak."""

    def stop(self) -> None:
        """Release what the driver itself started (`pileus down --all` stops the guests before this)."""
