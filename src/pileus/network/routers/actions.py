"""Writes of routers: interfaces, the gateway, extra routes."""

from collections.abc import Sequence
from ipaddress import ip_address, ip_network

from sqlalchemy import select
from sqlalchemy.orm import Session

from pileus.kernel.errors import BadRequest
from pileus.network.errors import conflict, invalid, not_found
from pileus.network.floating_ips.models import FloatingIp
from pileus.network.hosts import services
from pileus.network.hosts.services import router_ports
from pileus.network.networks.models import Network
from pileus.network.ports import actions as ports
from pileus.network.ports.addresses import AddressRequest
from pileus.network.ports.models import ROUTER_GATEWAY, ROUTER_INTERFACE, SERVICE, IpAllocation, Port
from pileus.network.routers.models import Router
from pileus.network.settings import settings_of
from pileus.network.subnets import cidrs
from pileus.network.subnets.models import Subnet


def bad(message: str) -> BadRequest:
    return BadRequest(f"Bad router request: {message}", kind="BadRequest")


def set_gateway(
    db: Session, router: Router, network: Network | None, fixed: Sequence[AddressRequest], enable_snat: bool
) -> None:
    """Put the router on an external network, move it, or (None) take it off."""
    old = router.gateway_port
    if network is None or (old is not None and old.network_id != network.id):
        _drop_gateway(db, router)
        old = None
    if network is None:
        router.enable_snat = True
        return
    if not network.external:
        raise bad(f"Network {network.id} is not an external network")
    router.enable_snat = enable_snat
    subnets = list(db.scalars(select(Subnet).where(Subnet.network_id == network.id)))
    if not subnets:
        raise bad(f"Network {network.id} does not contain any subnet: the router's gateway needs an address")
    _check_overlap(db, router, subnets)
    if old is None:
        new = ports.NewPort(
            network=network,
            project_id="",
            device_id=router.id,
            device_owner=ROUTER_GATEWAY,
            addresses=fixed or None,
            made_by=SERVICE,
            router_id=router.id,
        )
        router.gateway_port = ports.create(db, new)
    elif fixed:
        ports.readdress(db, old, fixed)
    db.flush()
    services.ensure_router(db, router)


def _drop_gateway(db: Session, router: Router) -> None:
    port = router.gateway_port
    if port is None:
        return
    if db.scalar(select(FloatingIp.id).where(FloatingIp.router_id == router.id).limit(1)) is not None:
        needed = f"a gateway to external network {port.network_id} is required by one or more floating IPs"
        message = f"Gateway cannot be updated for router {router.id}, since {needed}."
        raise conflict(message, "RouterExternalGatewayInUseByFloatingIp")
    router.gateway_port = None
    db.flush()
    ports.destroy(db, port)


def _check_overlap(db: Session, router: Router, new: Sequence[Subnet]) -> None:
    """Two networks of one router may not have addresses in common."""
    ids = {subnet.id for subnet in new}
    held = (
        select(Subnet)
        .join(IpAllocation, IpAllocation.subnet_id == Subnet.id)
        .join(Port, Port.id == IpAllocation.port_id)
    )
    for other in db.scalars(held.where(Port.router_id == router.id).distinct()):
        for subnet in new:
            if other.id == subnet.id and subnet.id in ids and not subnet.network.external:
                raise bad(f"Router already has a port on subnet {subnet.id}")
            if other.id != subnet.id and ip_network(other.cidr).overlaps(ip_network(subnet.cidr)):
                raise bad(
                    f"Cidr {subnet.cidr} of subnet {subnet.id} overlaps with cidr {other.cidr} of subnet {other.id}"
                )


def add_subnet(db: Session, router: Router, subnet: Subnet) -> Port:
    """An interface that has the subnet's gateway address; a further IPv6 subnet of a network joins the interface that is there."""
    if subnet.gateway_ip is None:
        raise bad(f"Subnet for router interface must have a gateway IP: {subnet.id} has none")
    _check_overlap(db, router, [subnet])
    request = AddressRequest(subnet.id, subnet.gateway_ip)
    if subnet.ip_version == 6:
        for port in router_ports(db, router.id):
            joined = port.network_id == subnet.network_id and port.device_owner == ROUTER_INTERFACE
            if joined and any(":" in ip.ip_address for ip in port.fixed_ips):
                ports.readdress(
                    db, port, [*(AddressRequest(ip.subnet_id, ip.ip_address) for ip in port.fixed_ips), request]
                )
                return port
    new = ports.NewPort(
        network=subnet.network,
        project_id=router.project_id,
        device_id=router.id,
        device_owner=ROUTER_INTERFACE,
        addresses=[request],
        made_by=SERVICE,
        router_id=router.id,
    )
    port = ports.create(db, new)
    services.ensure_router(db, router)
    return port


def add_port(db: Session, router: Router, port: Port) -> None:
    """A port that somebody made beforehand becomes an interface."""
    if port.device_id or port.device_owner:
        message = (
            f"Unable to complete operation on port {port.id}. Port already has an attached device {port.device_id}."
        )
        raise conflict(message, "PortInUse")
    subnets = ports.subnets_of(db, port)
    if not subnets:
        raise bad("Port for router interface must have at least one fixed IP")
    if sum(subnet.ip_version == 4 for subnet in subnets) > 1:
        raise bad("Cannot have multiple IPv4 subnets on router port")
    _check_overlap(db, router, subnets)
    port.device_id, port.device_owner, port.router_id = router.id, ROUTER_INTERFACE, router.id
    ports.secure(port, [], None)
    port.port_security_enabled = False
    db.flush()
    services.ensure_router(db, router)


def remove_interface(db: Session, router: Router, subnet: Subnet | None, port: Port | None) -> tuple[Port, str]:
    """By subnet, by port, or by both that agree. The port that went (or lost an address) and the subnet."""
    own = [p for p in router_ports(db, router.id) if p.device_owner == ROUTER_INTERFACE]
    if port is not None:
        found = next((p for p in own if p.id == port.id), None)
        if found is None:
            raise not_found(
                f"Router {router.id} does not have an interface with id", port.id, "RouterInterfaceNotFound"
            )
        subnet_ids = [ip.subnet_id for ip in found.fixed_ips]
        if subnet is not None and subnet.id not in subnet_ids:
            raise conflict(
                f"Port {port.id} does not have an address of subnet {subnet.id}.", "RouterInterfaceSubnetMismatch"
            )
        leaving = subnet_ids
    elif subnet is not None:
        found = next((p for p in own if any(ip.subnet_id == subnet.id for ip in p.fixed_ips)), None)
        if found is None:
            message = f"Router {router.id} has no interface on subnet"
            raise not_found(message, subnet.id, "RouterInterfaceNotFoundForSubnet")
        leaving = [subnet.id]
    else:
        raise bad("Either subnet_id or port_id must be specified")
    _check_unused(db, router, found, leaving)
    rest = [AddressRequest(ip.subnet_id, ip.ip_address) for ip in found.fixed_ips if ip.subnet_id not in leaving]
    if rest:
        ports.readdress(db, found, rest)
    else:
        ports.destroy(db, found)
    router.touch()
    return found, leaving[0] if leaving else ""


def _check_unused(db: Session, router: Router, port: Port, subnet_ids: Sequence[str]) -> None:
    fixed = select(IpAllocation.subnet_id).join(
        FloatingIp,
        (FloatingIp.port_id == IpAllocation.port_id) & (FloatingIp.fixed_ip_address == IpAllocation.ip_address),
    )
    for subnet in db.scalars(select(Subnet).where(Subnet.id.in_(subnet_ids))):
        what = f"Router interface for subnet {subnet.id} on router {router.id}"
        if (
            db.scalar(fixed.where(FloatingIp.router_id == router.id, IpAllocation.subnet_id == subnet.id).limit(1))
            is not None
        ):
            message = f"{what} cannot be deleted, as it is required by one or more floating IPs."
            raise conflict(message, "RouterInterfaceInUseByFloatingIP")
        if any(ip_address(route["nexthop"]) in ip_network(subnet.cidr) for route in router.routes):
            message = f"{what} cannot be deleted, as it is required by one or more routes."
            raise conflict(message, "RouterInterfaceInUseByRoute")


def set_routes(db: Session, router: Router, given: Sequence[dict[str, str]]) -> None:
    """Each next hop is on a connected subnet and is not the router itself."""
    most = settings_of(db).max_routes
    if len(given) > most:
        raise invalid(
            f"Unable to complete operation for {router.id}. The number of routes exceeds the maximum {most}.",
            "RoutesExhausted",
        )
    routes = cidrs.routes(given, most)
    own = router_ports(db, router.id)
    ids = {ip.subnet_id for port in own for ip in port.fixed_ips}
    nets = [ip_network(text) for text in db.scalars(select(Subnet.cidr).where(Subnet.id.in_(ids)))]
    addresses = {ip.ip_address for port in own for ip in port.fixed_ips}
    for route in routes:
        hop = ip_address(route["nexthop"])
        if not any(hop in net for net in nets):
            raise invalid(f"Invalid format for routes: the nexthop {hop} is not connected with router", "InvalidRoutes")
        if str(hop) in addresses:
            raise invalid(f"Invalid format for routes: the nexthop {hop} is used by router", "InvalidRoutes")
    router.routes = routes


def destroy(db: Session, router: Router) -> None:
    own = router_ports(db, router.id)
    if any(port.device_owner == ROUTER_INTERFACE for port in own):
        raise conflict(f"Router {router.id} still has ports", "RouterInUse")
    _drop_gateway(db, router)
    db.delete(router)
    db.flush()
