"""Writes of subnets."""

from ipaddress import ip_network

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from pileus.kernel.db import new_id
from pileus.network import usage
from pileus.network.errors import conflict, invalid
from pileus.network.hosts import services
from pileus.network.networks.models import Network
from pileus.network.ports import addresses
from pileus.network.ports.models import DHCP, ROUTER_OWNERS, SERVICE, IpAllocation, Port
from pileus.network.subnets import cidrs
from pileus.network.subnets.models import SLAAC, STATEFUL, STATELESS, Subnet

_IS_DHCP = (Port.device_owner == DHCP) & (Port.made_by == SERVICE)
MODES = (SLAAC, STATEFUL, STATELESS)


def check_modes(subnet: Subnet) -> None:
    """RA and address mode: IPv6 only, equal when both are given, SLAAC on a /64, DHCP on."""
    ra, mode = subnet.ipv6_ra_mode, subnet.ipv6_address_mode
    if ra is None and mode is None:
        return
    if subnet.ip_version != 6:
        raise invalid("ipv6_ra_mode and ipv6_address_mode are for IPv6 subnets.")
    if not subnet.enable_dhcp:
        raise invalid("ipv6_ra_mode or ipv6_address_mode cannot be set when enable_dhcp is set to False.")
    if any(value is not None and value not in MODES for value in (ra, mode)):
        raise invalid(f"ipv6_ra_mode and ipv6_address_mode are one of {', '.join(MODES)}.")
    if ra and mode and ra != mode:
        raise invalid(f"ipv6_ra_mode '{ra}' and ipv6_address_mode '{mode}' must be the same value when both are set.")
    if (ra or mode) in (SLAAC, STATELESS) and ip_network(subnet.cidr).prefixlen != 64:
        raise invalid(f"Invalid CIDR {subnet.cidr}: addresses made of MACs (EUI-64) need a /64.")


def create(db: Session, network: Network, subnet: Subnet) -> Subnet:
    """Adds a subnet whose fields are checked already, with what follows from it: DHCP port, automatic addresses."""
    usage.check(db, subnet.project_id, "subnet")
    subnet.id, subnet.network = new_id(), network
    check_modes(subnet)
    _check_overlap(db, subnet)
    db.add(subnet)
    db.flush()
    if subnet.from_mac:
        _address_standing(db, subnet)
    services.ensure_dhcp(db, network)
    return subnet


def _check_overlap(db: Session, subnet: Subnet) -> None:
    wanted = ip_network(subnet.cidr)
    for other, identifier in db.execute(select(Subnet.cidr, Subnet.id).where(Subnet.network_id == subnet.network.id)):
        if ip_network(other).overlaps(wanted):
            message = (
                f"Requested subnet with cidr: {wanted} for network: {subnet.network.id} overlaps with another subnet"
            )
            raise invalid(f"{message}: {identifier} ({other}).")


def _address_standing(db: Session, subnet: Subnet) -> None:
    """Guests hear the router's advertisements and take an address by themselves: their ports have it too."""
    query = select(Port).where(Port.network_id == subnet.network_id, Port.device_owner.not_in([*ROUTER_OWNERS, DHCP]))
    for port in db.scalars(query):
        position = len(port.fixed_ips)
        address = addresses.eui64(subnet.cidr, port.mac_address)
        db.add(IpAllocation(subnet_id=subnet.id, ip_address=address, port_id=port.id, position=position))
        db.flush()
        db.refresh(port, ["fixed_ips"])


def set_gateway(db: Session, subnet: Subnet, gateway_ip: str | None) -> None:
    """Refused while a router's interface has the present one."""
    if gateway_ip == subnet.gateway_ip:
        return
    if subnet.gateway_ip is not None:
        query = select(IpAllocation.port_id).join(Port, Port.id == IpAllocation.port_id)
        holder = db.scalar(
            query.where(
                IpAllocation.subnet_id == subnet.id,
                IpAllocation.ip_address == subnet.gateway_ip,
                Port.router_id.is_not(None),
            )
        )
        if holder is not None:
            raise conflict(
                f"Current gateway ip {subnet.gateway_ip} already in use by port {holder}. Unable to update.",
                "GatewayIpInUse",
            )
    subnet.gateway_ip = cidrs.gateway(gateway_ip, cidrs.cidr(subnet.cidr)) if gateway_ip else None


def destroy(db: Session, subnet: Subnet) -> None:
    """Refused while a port other than DHCP's has an address of it (addresses made of MACs go with the subnet)."""
    query = (
        select(Port.id).join(IpAllocation, IpAllocation.port_id == Port.id).where(IpAllocation.subnet_id == subnet.id)
    )
    blocking = query.where(Port.router_id.is_not(None)) if subnet.from_mac else query.where(~_IS_DHCP)
    if db.scalar(blocking.limit(1)) is not None:
        message = f"Unable to complete operation on subnet {subnet.id}: One or more ports have an IP allocation from this subnet."
        raise conflict(message, "SubnetInUse")
    network = subnet.network
    db.execute(delete(IpAllocation).where(IpAllocation.subnet_id == subnet.id))
    db.delete(subnet)
    db.flush()
    db.expire_all()
    services.ensure_dhcp(db, network)
