"""What a router comes to on this host: devices, routes and rules; pure."""

import ipaddress

import msgspec

from pileus.network.agent.l2.bridges import bridge_of
from pileus.network.agent.l3 import attachment
from pileus.network.agent.l3.attachment import Attachment
from pileus.network.agent.l3.ruleset import RouterRules
from pileus.network.agent.names import checked_id
from pileus.network.agent.netlink import Route
from pileus.network.agent.snapshot import HostNetwork, Network, Router, RouterInterface

PREFIX = "qrouter-"


class Plan(msgspec.Struct, frozen=True):
    """A router as devices, routes and rules."""

    namespace: str
    legs: tuple[Attachment, ...]
    routes: frozenset[Route]
    rules: RouterRules


def plan_of(router: Router, networks: dict[str, Network], settings: HostNetwork) -> Plan:
    """Raises LookupError when the snapshot lacks a network of the router, ValueError for a bad address."""
    namespace = PREFIX + checked_id(router.id)
    legs = [
        _leg(interface, "qr-", namespace, _network(interface, networks), settings) for interface in router.interfaces
    ]
    routes: set[Route] = set()
    rules = RouterRules(forwarding=router.admin_state_up, metadata_port=settings.metadata_port)
    if router.gateway is not None:
        gateway, network = router.gateway, _network(router.gateway, networks)
        floating = tuple(sorted((ip.floating_ip_address, ip.fixed_ip_address) for ip in router.floating_ips))
        further = {f"{ipaddress.IPv4Address(address)}/32" for address, _ in floating}
        leg = _leg(gateway, "qg-", namespace, network, settings)
        leg = msgspec.structs.replace(leg, addresses=leg.addresses | further)
        legs.append(leg)
        routes |= _default_routes(gateway, network, leg.device)
        rules = msgspec.structs.replace(
            rules,
            gateway_device=leg.device,
            gateway_address=next((ip.ip_address for ip in gateway.fixed_ips if ":" not in ip.ip_address), None),
            enable_snat=router.enable_snat,
            floating=floating,
        )
    routes |= {_static_route(destination, via, legs) for destination, via in router.routes}
    return Plan(namespace=namespace, legs=tuple(legs), routes=frozenset(routes), rules=rules)


def _leg(
    interface: RouterInterface, prefix: str, namespace: str, network: Network, settings: HostNetwork
) -> Attachment:
    return Attachment(
        port_id=interface.port_id,
        prefix=prefix,
        namespace=namespace,
        bridge=bridge_of(network, settings),
        mac=interface.mac,
        mtu=network.mtu,
        addresses=attachment.cidrs(interface.fixed_ips, network.subnets),
    )


def _network(interface: RouterInterface, networks: dict[str, Network]) -> Network:
    try:
        return networks[interface.network_id]
    except KeyError:
        raise LookupError(f"network {interface.network_id} of the router is not known on this host") from None


def _default_routes(gateway: RouterInterface, network: Network, device: str) -> set[Route]:
    """Through the gateway of each subnet that the router has an address of; its own other subnets are on the link."""
    mine = {ip.subnet_id for ip in gateway.fixed_ips}
    routes = set()
    for subnet in network.subnets:
        if subnet.id not in mine:
            routes.add(Route(subnet.cidr, None, device))
        elif subnet.gateway_ip:
            everywhere = "0.0.0.0/0" if subnet.ip_version == 4 else "::/0"
            if ipaddress.ip_address(subnet.gateway_ip) not in ipaddress.ip_network(subnet.cidr):
                routes.add(Route(str(ipaddress.ip_network(subnet.gateway_ip)), None, device))
            if all(route.destination != everywhere for route in routes):
                routes.add(Route(everywhere, subnet.gateway_ip, device))
    return routes


def _static_route(destination: str, via: str, legs: list[Attachment]) -> Route:
    """The leg is the one whose subnet the next hop is in."""
    hop = ipaddress.ip_address(via)
    for leg in legs:
        if any(hop in ipaddress.ip_interface(address).network for address in leg.addresses):
            return Route(str(ipaddress.ip_network(destination)), str(hop), leg.device)
    raise ValueError(f"the next hop {via} of the route to {destination} is on none of the router's networks")
