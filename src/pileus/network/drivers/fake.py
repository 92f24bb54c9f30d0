"""A host without a network: remembers what is wanted, says that it stands. For clouds without privileges, and for tests."""

from pileus.network.agent.names import BadId, tap_name
from pileus.network.agent.snapshot import HostNetwork, NetworkReport, Snapshot


class FakeDriver:
    """HostDriver. `snapshot` is what was applied last."""

    def __init__(self, settings: HostNetwork) -> None:
        self.snapshot = Snapshot(settings.host, 0)

    def start(self) -> None:
        """Nothing to probe: works everywhere."""

    def apply(self, snapshot: Snapshot) -> NetworkReport:
        faults = {}
        networks = {network.id for network in snapshot.networks}
        for port in snapshot.ports:
            try:
                tap_name(port.id)
            except BadId as error:
                faults[port.id] = str(error)
                continue
            if port.network_id not in networks:
                faults[port.id] = f"network {port.network_id} is not on this host"
        self.snapshot = snapshot
        up = tuple(port.id for port in snapshot.ports if port.admin_state_up and port.id not in faults)
        return NetworkReport(snapshot.host, snapshot.generation, up, faults)

    def tap_name(self, port_id: str) -> str:
        return tap_name(port_id)

    def leaks(self, snapshot: Snapshot) -> list[str]:
        wanted = {port.id for port in snapshot.ports}
        return [tap_name(port.id) for port in self.snapshot.ports if port.id not in wanted]

    def stop(self, remove: bool) -> None:
        if remove:
            self.snapshot = Snapshot(self.snapshot.host, 0)
