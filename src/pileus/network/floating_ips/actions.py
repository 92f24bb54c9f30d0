"""Writes of floating IPs."""

from ipaddress import IPv4Address, ip_address

from sqlalchemy import select
from sqlalchemy.orm import Session

from pileus.kernel.db import new_id
from pileus.kernel.errors import BadRequest, NotFound
from pileus.network import usage
from pileus.network.errors import conflict
from pileus.network.floating_ips.models import FloatingIp
from pileus.network.networks.models import Network
from pileus.network.ports import actions as ports
from pileus.network.ports.addresses import AddressRequest
from pileus.network.ports.models import FLOATING_IP, ROUTER_GATEWAY, ROUTER_INTERFACE, SERVICE, IpAllocation, Port
from pileus.network.subnets.models import Subnet


def bad(message: str) -> BadRequest:
    return BadRequest(f"Bad floatingip request: {message}.", kind="BadRequest")


def create(db: Session, row: FloatingIp, network: Network, subnet_id: str | None, address: str | None) -> FloatingIp:
    """Takes an address on the external network for a row that has its plain attributes already."""
    if not network.external:
        raise bad(f"Network {network.id} is not a valid external network")
    usage.check(db, row.project_id, "floatingip")
    v4 = select(Subnet.id).where(Subnet.network_id == network.id, Subnet.ip_version == 4)
    if db.scalar(v4.limit(1)) is None:
        raise bad(f"Network {network.id} does not contain any IPv4 subnet")
    row.id = new_id()
    wanted = [AddressRequest(subnet_id, address)] if subnet_id or address else None
    new = ports.NewPort(
        network=network, project_id="", device_id=row.id, device_owner=FLOATING_IP, addresses=wanted, made_by=SERVICE
    )
    port = ports.create(db, new)
    found = next((ip.ip_address for ip in port.fixed_ips if isinstance(ip_address(ip.ip_address), IPv4Address)), None)
    if found is None:
        raise bad(f"no IPv4 address could be taken on network {network.id}")
    row.floating_network_id, row.floating_port_id, row.floating_ip_address = network.id, port.id, found
    db.add(row)
    db.flush()
    return row


def associate(db: Session, row: FloatingIp, port: Port | None, fixed: str | None) -> None:
    """Lead the floating IP to a port's IPv4 address, or (None) nowhere."""
    if port is None:
        if fixed is not None:
            raise bad("Cannot specify a fixed_ip_address without a port_id")
        row.port_id = row.fixed_ip_address = row.router_id = None
        return
    internal = _internal(port, fixed)
    query = select(FloatingIp.floating_ip_address).where(
        FloatingIp.port_id == port.id, FloatingIp.fixed_ip_address == internal.ip_address, FloatingIp.id != row.id
    )
    other = db.scalar(query)
    if other is not None:
        message = (
            f"Cannot associate floating IP {row.floating_ip_address} ({row.floating_port_id}) with port {port.id} using fixed IP "
            f"{internal.ip_address}, as that fixed IP already has a floating IP on external network {row.floating_network_id} ({other})."
        )
        raise conflict(message, "FloatingIPPortAlreadyAssociated")
    row.router_id = _router(db, internal.subnet_id, row.floating_network_id, port.id)
    row.port_id, row.fixed_ip_address = port.id, internal.ip_address
    db.flush()


def _internal(port: Port, fixed: str | None) -> IpAllocation:
    v4 = [ip for ip in port.fixed_ips if ":" not in ip.ip_address]
    if fixed is not None:
        found = next((ip for ip in v4 if ip.ip_address == fixed), None)
        if found is None:
            raise bad(f"Port {port.id} does not have fixed ip {fixed}")
        return found
    if not v4:
        raise bad(f"Cannot add floating IP to port {port.id} that has no fixed IPv4 addresses")
    if len(v4) > 1:
        raise bad(
            f"Port {port.id} has multiple fixed IPv4 addresses. Must provide a specific IPv4 address when assigning a floating IP"
        )
    return v4[0]


def _router(db: Session, subnet_id: str, external_id: str, port_id: str) -> str:
    """The router between the port's subnet and the external network; the one that is the subnet's gateway if there are two."""
    gateways = select(Port.router_id).where(Port.network_id == external_id, Port.device_owner == ROUTER_GATEWAY)
    query = (
        select(Port.router_id, IpAllocation.ip_address, Subnet.gateway_ip)
        .join(IpAllocation, IpAllocation.port_id == Port.id)
        .join(Subnet, Subnet.id == IpAllocation.subnet_id)
        .where(IpAllocation.subnet_id == subnet_id, Port.device_owner == ROUTER_INTERFACE, Port.router_id.in_(gateways))
    )
    found = sorted(db.execute(query), key=lambda row: (row[1] != row[2], str(row[0])))
    if not found:
        reach = f"External network {external_id} is not reachable from subnet {subnet_id}"
        message = f"{reach}. Therefore, cannot associate Port {port_id} with a Floating IP."
        raise NotFound(message, kind="ExternalGatewayForFloatingIPNotFound")
    return str(found[0][0])


def destroy(db: Session, row: FloatingIp) -> None:
    port = db.get(Port, row.floating_port_id)
    db.delete(row)
    db.flush()
    if port is not None:
        ports.destroy(db, port)
