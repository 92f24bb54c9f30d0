"""Driver interfaces of ML2: type drivers run in the API, mechanism drivers have one half there and one on each host."""

from typing import Protocol

from pileus.network.agent.snapshot import HostNetwork, NetworkReport, Snapshot


class HostDriver(Protocol):
    """The host half of a mechanism: makes a snapshot true (bridges, taps, rules, DHCP, routers). Calls block and are serialised."""

    def start(self) -> None:
        """Probe what the host can do; raise with a message an operator can act on when the mechanism can not run here."""

    def apply(self, snapshot: Snapshot) -> NetworkReport:
        """Make the kernel equal to the snapshot, touching only what differs; one bad item never blocks the others."""

    def tap_name(self, port_id: str) -> str: ...

    def leaks(self, snapshot: Snapshot) -> list[str]:
        """Names of devices, namespaces, rules, processes or files of ours that the snapshot does not explain."""

    def stop(self, remove: bool) -> None:
        """Stop what runs inside the agent; with `remove` take down every device, namespace, daemon and rule that was made."""


class HostDriverFactory(Protocol):
    def __call__(self, settings: HostNetwork) -> HostDriver: ...
