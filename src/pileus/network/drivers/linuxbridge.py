"""The linux-bridge mechanism on a host: kernel bridges, nftables, dnsmasq and router namespaces."""

import subprocess
from typing import Protocol

from pileus.network.agent.dhcp.service import DhcpService
from pileus.network.agent.firewall.rules import Firewall
from pileus.network.agent.l2.bridges import Bridges
from pileus.network.agent.l3.routers import Routers
from pileus.network.agent.metadata.service import MetadataService
from pileus.network.agent.names import tap_name
from pileus.network.agent.namespaces import ProgramFailed
from pileus.network.agent.snapshot import HostNetwork, NetworkReport, Snapshot


class Applier(Protocol):
    """One concern of a host's network: makes its part of a snapshot true."""

    def start(self) -> None: ...

    def apply(self, snapshot: Snapshot) -> dict[str, str]: ...

    def leaks(self, snapshot: Snapshot) -> list[str]: ...

    def stop(self, remove: bool) -> None: ...


class LinuxBridgeDriver:
    """HostDriver. Works in the network namespace of the thread that calls it."""

    def __init__(self, settings: HostNetwork) -> None:
        self._settings = settings
        self._bridges = Bridges(settings)
        self._firewall = Firewall(settings)
        self._services: tuple[Applier, ...] = (DhcpService(settings), Routers(settings), MetadataService(settings))
        self._appliers: tuple[Applier, ...] = (self._firewall, self._bridges, *self._services)

    def start(self) -> None:
        for applier in self._appliers:
            applier.start()

    def apply(self, snapshot: Snapshot) -> NetworkReport:
        """Devices that go, rules, devices that come, services: no tap is on a bridge without its rules, ever."""
        faults: dict[str, str] = {}
        notes: list[str] = []
        self._bridges.withdraw(snapshot)
        held: frozenset[str] = frozenset()
        try:
            faults |= self._firewall.apply(snapshot)
        except (OSError, RuntimeError, subprocess.TimeoutExpired) as error:
            # The former rules are still in force, so the ports they guard may go on; a new port is kept off its bridge.
            notes.append(f"firewall: {error}")
            held = frozenset(port.id for port in snapshot.ports if not self._firewall.covers(port))
            faults |= dict.fromkeys(held, f"no rules in force: {error}")
        faults |= self._bridges.apply(snapshot, held)
        # Up is about the port itself: a lease option that can not be served is a fault, and the port is up.
        up = tuple(port.id for port in snapshot.ports if port.admin_state_up and port.id not in faults)
        for service in self._services:
            try:
                faults |= service.apply(snapshot)
            except (OSError, RuntimeError, ProgramFailed, subprocess.TimeoutExpired) as error:
                notes.append(f"{type(service).__name__}: {error}")
        return NetworkReport(snapshot.host, snapshot.generation, up, faults, tuple(notes))

    def tap_name(self, port_id: str) -> str:
        return tap_name(port_id)

    def leaks(self, snapshot: Snapshot) -> list[str]:
        return [leak for applier in self._appliers for leak in applier.leaks(snapshot)]

    def stop(self, remove: bool) -> None:
        for applier in reversed(self._appliers):
            applier.stop(remove)
