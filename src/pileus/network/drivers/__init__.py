"""ML2's mechanisms as drivers, the host half. Third parties add theirs under the entry point group `pileus.mechanisms`."""

from importlib import import_module
from importlib.metadata import entry_points

from pileus.network.agent.snapshot import HostNetwork
from pileus.network.drivers.base import HostDriver

DRIVERS = {
    "linuxbridge": "pileus.network.drivers.linuxbridge:LinuxBridgeDriver",
    "fake": "pileus.network.drivers.fake:FakeDriver",
}


def load(name: str, settings: HostNetwork) -> HostDriver:
    """The named mechanism's half for this host. Raises LookupError for an unknown name."""
    place = DRIVERS.get(name)
    if place is None:
        found = entry_points(group="pileus.mechanisms", name=name)
        if not found:
            raise LookupError(f"no network mechanism {name!r}; known: {', '.join(DRIVERS)}")
        third: HostDriver = next(iter(found)).load()(settings)
        return third
    module, _, attribute = place.partition(":")
    made: HostDriver = getattr(import_module(module), attribute)(settings)
    return made
