"""The names of drivers in the configuration, checked before anything starts."""


def check_drivers(hypervisor: str, mechanism: str) -> None:
    """Fail early, with words, when a driver that the configuration names does not exist."""
    from pileus.compute.drivers import DRIVERS as HYPERVISORS
    from pileus.network.drivers import DRIVERS as MECHANISMS

    for name, known, key in ((hypervisor, HYPERVISORS, "hypervisor"), (mechanism, MECHANISMS, "network_mechanism")):
        if name not in known:
            raise SystemExit(f"pileus: [cloud] {key} = {name!r}: known are {', '.join(known)}")
