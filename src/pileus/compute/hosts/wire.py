"""What crosses the bus between the control plane and a host's agent."""

from typing import Any

import msgspec

from pileus.compute.drivers.base import GuestSpec
from pileus.network.agent.snapshot import NetworkReport, Snapshot


class GuestWanted(msgspec.Struct, frozen=True):
    """A guest as it should be. `power`: active, stopped, paused, deleted. Graces in seconds."""

    spec: GuestSpec
    generation: int
    power: str
    hard_reboots: int
    soft_reboots: int
    stop_grace: float
    reboot_grace: float


class Wanted(msgspec.Struct, frozen=True):
    """`network` None: unchanged. With `full`, `guests` are all of the host's, else only those that are behind."""

    guests: tuple[GuestWanted, ...]
    network: Snapshot | None
    full: bool
    images: tuple[str, ...] = ()  # with `full`: images that some server of the host was made from
    servers: tuple[str, ...] = ()  # with `full`: every server of the host, also those that are in ERROR


class GuestReport(msgspec.Struct, frozen=True):
    """`generation` is what the host has made true (0: nothing yet). `fault`: message, detail, permanent, attempts, generation."""

    server_id: str
    state: str
    generation: int
    fault: dict[str, Any] | None = None


class HostLoad(msgspec.Struct, frozen=True):
    """`uptime` is the line of uptime(1); `metrics` have upstream's names (`cpu.percent`, …)."""

    uptime: str
    metrics: dict[str, float]


class HostReport(msgspec.Struct, frozen=True):
    host: str
    guests: tuple[GuestReport, ...] = ()
    network: NetworkReport | None = None
    notes: tuple[str, ...] = ()  # of the hypervisor
    network_notes: tuple[str, ...] = ()
    load: HostLoad | None = None  # None: as reported before
