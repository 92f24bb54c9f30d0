"""The names of drivers in the configuration, checked before anything starts."""

from importlib.metadata import entry_points


def check_drivers(hypervisor: str, mechanism: str) -> None:
    """Fail early, with words, when a driver that the configuration names does not exist."""
    from pileus.compute.drivers import DRIVERS as HYPERVISORS
    from pileus.network.drivers import DRIVERS as MECHANISMS

    for name, known, key, group in (
        (hypervisor, HYPERVISORS, "hypervisor", "pileus.hypervisors"),
        (mechanism, MECHANISMS, "network_mechanism", "pileus.mechanisms"),
    ):
        names = [*known, *entry_points(group=group).names]
        if name not in names:
            raise SystemExit(f"pileus: [cloud] {key} = {name!r}: known are {', '.join(names)}")
