"""Who asks: from the router or network that a request came by, and its source address, to the server."""

import msgspec

from pileus.network.agent.snapshot import Network, Router, Snapshot

ROUTER, NETWORK = "X-Router-ID", "X-Network-ID"


class Asker(msgspec.Struct, frozen=True):
    server_id: str
    project_id: str


Key = tuple[str, str, str]  # ROUTER or NETWORK, its id, IP address


def directory(snapshot: Snapshot) -> dict[Key, Asker]:
    """Every server that can ask, by way and address.

    By a router only the subnets that it has an interface in are seen: others of the same network may use the same addresses
    behind another router.
    """
    networks = {network.id: network for network in snapshot.networks}
    found: dict[Key, Asker] = {}
    for network in snapshot.networks:
        if network.dhcp is not None and network.dhcp.serves_metadata:
            for address, _, asker in _askers(network):
                found[NETWORK, network.id, address] = asker
    for router in snapshot.routers:
        found |= _by_router(router, networks)
    return found


def _by_router(router: Router, networks: dict[str, Network]) -> dict[Key, Asker]:
    found: dict[Key, Asker] = {}
    for interface in router.interfaces:
        network = networks.get(interface.network_id)
        mine = {ip.subnet_id for ip in interface.fixed_ips}
        for address, subnet_id, asker in _askers(network) if network is not None else ():
            if subnet_id in mine:
                found[ROUTER, router.id, address] = asker
    return found


def _askers(network: Network) -> list[tuple[str, str, Asker]]:
    """(address, subnet id, server) of each port of the network that a server owns."""
    return [
        (ip.ip_address, ip.subnet_id, Asker(host.device_id, host.project_id))
        for host in (network.dhcp.hosts if network.dhcp is not None else ())
        if host.device_id
        for ip in host.fixed_ips
    ]
