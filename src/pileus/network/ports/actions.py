"""Writes of ports, for the API and for the service's own parts."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from pileus.kernel.db import new_id
from pileus.network import usage
from pileus.network.errors import conflict, invalid
from pileus.network.floating_ips.models import FloatingIp
from pileus.network.hosts import binding
from pileus.network.networks.models import Network
from pileus.network.ports import addresses, macs
from pileus.network.ports.addresses import AddressRequest
from pileus.network.ports.models import FLOATING_IP, SERVICE, SERVICE_PREFIX, USER, IpAllocation, Port, PortGroup
from pileus.network.security_groups import actions as groups
from pileus.network.settings import settings_of
from pileus.network.subnets.models import Subnet


@dataclass(frozen=True)
class NewPort:
    """`addresses` None: what the network offers. `security_groups` None: the project's default group.

    An empty MAC in `address_pairs` is the port's own.
    """

    network: Network
    project_id: str
    name: str = ""
    description: str = ""
    mac_address: str | None = None
    addresses: Sequence[AddressRequest] | None = None
    admin_state_up: bool = True
    device_id: str = ""
    device_owner: str = ""
    security_groups: Sequence[str] | None = None
    port_security_enabled: bool | None = None
    address_pairs: Sequence[dict[str, str]] = ()
    dhcp_options: Sequence[dict[str, Any]] = ()
    dns_name: str = ""
    host: str = ""
    vnic_type: str = "normal"
    binding_profile: dict[str, Any] = field(default_factory=dict)
    made_by: str = USER
    server_id: str | None = None
    router_id: str | None = None


def create(db: Session, new: NewPort) -> Port:
    """Raises BadRequest, or Conflict (over quota, address or MAC in use, none left)."""
    ours = new.made_by == SERVICE
    if not ours:
        usage.check(db, new.project_id, "port")
    if new.addresses is not None and len(new.addresses) > settings_of(db).max_fixed_ips:
        raise invalid("Exceeded maximum amount of fixed ips per port.")
    if new.mac_address is not None and macs.taken(db, new.network.id, new.mac_address):
        message = (
            f"Unable to complete operation for network {new.network.id}. The mac address {new.mac_address} is in use."
        )
        raise conflict(message, "MacAddressInUse")
    secured = new.network.port_security_enabled if new.port_security_enabled is None else new.port_security_enabled
    mac = new.mac_address or macs.make(db, new.network.id)
    port = Port(
        id=new_id(),
        network=new.network,
        project_id=new.project_id,
        name=new.name,
        description=new.description,
        mac_address=mac,
        admin_state_up=new.admin_state_up,
        device_id=new.device_id,
        device_owner=new.device_owner,
        port_security_enabled=secured and not new.device_owner.startswith(SERVICE_PREFIX),
        address_pairs=[{**pair, "mac_address": pair["mac_address"] or mac} for pair in new.address_pairs],
        dhcp_options=list(new.dhcp_options),
        dns_name=new.dns_name,
        vnic_type=new.vnic_type,
        binding_profile=new.binding_profile,
        made_by=new.made_by,
        server_id=new.server_id,
        router_id=new.router_id,
        fact=None,
        fixed_ips=[],
    )
    wanted = new.security_groups
    if wanted is None:
        wanted = [groups.ensure_default(db, new.project_id)] if port.port_security_enabled and new.project_id else []
    _check_security(port, wanted)
    groups.join(port, wanted)
    binding.bind(db, port, new.host)
    db.add(port)
    db.flush()
    addresses.allocate(db, port, new.addresses)
    return port


def _check_security(port: Port, group_ids: Sequence[str]) -> None:
    if not port.port_security_enabled and group_ids:
        message = "Port security must be enabled and port must have an IP address in order to use security groups."
        raise conflict(message, "PortSecurityAndIPRequiredForSecurityGroups")
    if not port.port_security_enabled and port.address_pairs:
        message = "Port Security must be enabled in order to have allowed address pairs on a port."
        raise conflict(message, "AddressPairAndPortSecurityRequired")


def secure(port: Port, group_ids: Sequence[str] | None, enabled: bool | None) -> None:
    """Change membership and port security together; what is None stays."""
    if enabled is not None:
        port.port_security_enabled = enabled
    wanted = [group.security_group_id for group in port.groups] if group_ids is None else group_ids
    _check_security(port, wanted)
    groups.join(port, wanted)


def readdress(db: Session, port: Port, requests: Sequence[AddressRequest]) -> None:
    """Exactly these addresses; those that the port has already are kept, so that nobody can take them meanwhile."""
    if len(requests) > settings_of(db).max_fixed_ips:
        raise invalid("Exceeded maximum amount of fixed ips per port.")
    held = {ip.ip_address: ip for ip in port.fixed_ips}
    by_subnet: dict[str, list[str]] = {}
    asked = {request.ip_address for request in requests if request.ip_address}
    for ip in port.fixed_ips:
        if ip.ip_address not in asked:
            by_subnet.setdefault(ip.subnet_id, []).append(ip.ip_address)
    kept: set[str] = set()
    fresh: list[AddressRequest] = []
    for request in requests:
        if request.ip_address in held and request.subnet_id in (None, held[request.ip_address].subnet_id):
            kept.add(request.ip_address)
        elif request.ip_address is None and by_subnet.get(request.subnet_id or ""):
            kept.add(by_subnet[request.subnet_id or ""].pop(0))
        else:
            fresh.append(request)
    gone = [address for address in held if address not in kept]
    release_floating(db, port, gone)
    db.execute(delete(IpAllocation).where(IpAllocation.port_id == port.id, IpAllocation.ip_address.in_(gone)))
    addresses.allocate(db, port, fresh, first=len(kept))
    port.touch()
    db.flush()


def release_floating(db: Session, port: Port, fixed: Sequence[str] | None = None) -> None:
    """Floating IPs that lead to the port (or to these of its addresses) lead nowhere from now on."""
    query = update(FloatingIp).where(FloatingIp.port_id == port.id)
    if fixed is not None:
        query = query.where(FloatingIp.fixed_ip_address.in_(fixed))
    db.execute(query.values(port_id=None, fixed_ip_address=None, router_id=None))


def destroy(db: Session, port: Port) -> None:
    """The row, its addresses and memberships."""
    release_floating(db, port)
    db.delete(port)
    db.flush()


def check_deletable(port: Port) -> None:
    """Ports that are a part of something else go with it."""
    if port.router_id is not None or (port.made_by == SERVICE and port.device_owner == FLOATING_IP):
        message = f"Port {port.id} cannot be deleted directly via the port API: has device owner {port.device_owner}."
        raise conflict(message, "ServicePortInUse")


def subnets_of(db: Session, port: Port) -> list[Subnet]:
    return list(db.scalars(select(Subnet).where(Subnet.id.in_([ip.subnet_id for ip in port.fixed_ips]))))


def members(db: Session, group_id: str) -> list[str]:
    """Ids of the ports in a group."""
    return list(db.scalars(select(PortGroup.port_id).where(PortGroup.security_group_id == group_id)))
