"""What compute asks for and gets: network interfaces of servers."""

from collections.abc import Iterable, Sequence

import msgspec
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from pileus.kernel.context import Context
from pileus.kernel.errors import BadRequest, Conflict, Forbidden, NotFound, OverQuota
from pileus.network import usage
from pileus.network.floating_ips.models import FloatingIp
from pileus.network.hosts import binding
from pileus.network.networks.models import Network
from pileus.network.ports import actions as ports
from pileus.network.ports.addresses import AddressRequest
from pileus.network.ports.models import COMPUTE, IpAllocation, Port
from pileus.network.security_groups import actions as groups
from pileus.network.subnets import cidrs
from pileus.network.subnets.models import Subnet


class NicRequest(msgspec.Struct, frozen=True):
    """One entry of a server's `networks`: a network (and perhaps an address in it), or a port that is there already."""

    network_id: str | None = None
    port_id: str | None = None
    fixed_ip: str | None = None
    tag: str | None = None


class PlannedNic(msgspec.Struct, frozen=True):
    """A request that held at the time of asking. `security_groups` are ids; they count for ports that are made."""

    network_id: str
    port_id: str | None = None
    fixed_ip: str | None = None
    tag: str | None = None
    security_groups: tuple[str, ...] = ()


def plan(
    db: Session, context: Context, requests: Sequence[NicRequest] | str, security_groups: Sequence[str]
) -> list[PlannedNic]:
    """`requests` may be "auto" or "none". Raises BadRequest, Conflict, Forbidden with compute's documented messages."""
    if requests == "none":
        return []
    project_id = context.project_id or ""
    try:
        group_ids = tuple(groups.by_name_or_id(db, security_groups, project_id)) if security_groups else ()
    except NotFound as error:
        raise BadRequest(error.message) from None
    wanted = _automatic(db, project_id) if isinstance(requests, str) else requests
    planned = [_port(db, context, r, r.port_id) if r.port_id else _network(db, context, r, group_ids) for r in wanted]
    doubled = [nic.port_id for nic in planned if nic.port_id]
    if len(set(doubled)) != len(doubled):
        raise BadRequest("A port may be given only once.")
    fresh = len(planned) - len(doubled)
    if fresh and not _room(db, project_id, fresh):
        raise OverQuota("Maximum number of ports exceeded")
    return planned


def _room(db: Session, project_id: str, count: int) -> bool:
    try:
        usage.check(db, project_id, "port", count)
    except Conflict:
        return False
    return True


def _automatic(db: Session, project_id: str) -> list[NicRequest]:
    mine = or_(Network.project_id == project_id, Network.shared.is_(True))
    query = select(Network.id).where(mine, Network.external.is_(False), Network.admin_state_up.is_(True)).limit(2)
    found = list(db.scalars(query.where(select(Subnet.id).where(Subnet.network_id == Network.id).exists())))
    if len(found) > 1:
        raise Conflict(
            "More than one possible network found. Specify network ID(s) to select which one(s) to connect to."
        )
    return [NicRequest(network_id=one) for one in found]


def _network(db: Session, context: Context, request: NicRequest, group_ids: tuple[str, ...]) -> PlannedNic:
    network = db.get(Network, request.network_id or "")
    if network is None or not (context.sees_project(network.project_id) or network.shared or network.external):
        raise BadRequest(f"Network {request.network_id} could not be found.")
    if network.external and not network.shared and not context.is_admin and network.project_id != context.project_id:
        raise Forbidden(f"It is not allowed to create an interface on external network {network.id}")
    subnets = list(db.execute(select(Subnet.id, Subnet.cidr).where(Subnet.network_id == network.id)))
    if not subnets:
        raise BadRequest(f"Network {network.id} requires a subnet in order to boot instances on.")
    if request.fixed_ip is not None:
        if network.project_id != context.project_id and not context.is_admin:  # as `create_port:fixed_ips:ip_address`
            raise Forbidden(f"Only the owner of network {network.id} chooses addresses on it.")
        address = _address(request.fixed_ip)
        if not any(cidrs.address(address) in cidrs.cidr(cidr) for _, cidr in subnets):
            raise BadRequest(f"Fixed IP {address} is not a valid ip address for network {network.id}.")
        taken = select(IpAllocation.port_id).where(
            IpAllocation.ip_address == address, IpAllocation.subnet_id.in_([identifier for identifier, _ in subnets])
        )
        if db.scalar(taken) is not None:
            raise BadRequest(f"Fixed IP address {address} is already in use.")
        return PlannedNic(network.id, fixed_ip=address, tag=request.tag, security_groups=group_ids)
    return PlannedNic(network.id, tag=request.tag, security_groups=group_ids)


def _address(text: str) -> str:
    try:
        return str(cidrs.address(text))
    except BadRequest:
        raise BadRequest(f"Invalid fixed IP address: {text!r}.") from None


def _port(db: Session, context: Context, request: NicRequest, port_id: str) -> PlannedNic:
    port = db.get(Port, port_id)
    if port is None or not context.sees_project(port.project_id):
        raise BadRequest(f"Port id {port_id} could not be found.")
    if request.fixed_ip is not None:
        raise BadRequest(
            f"Specified Fixed IP '{request.fixed_ip}' cannot be used with port '{port_id}': the two cannot be specified together."
        )
    if port.device_id or port.router_id or port.server_id:
        raise Conflict(f"Port {port_id} is still in use.")
    if request.network_id and request.network_id != port.network_id:
        raise BadRequest(f"Port {port_id} is not on network {request.network_id}.")
    if not port.fixed_ips:
        raise BadRequest(f"Port {port_id} requires a FixedIP in order to be used.")
    return PlannedNic(port.network_id, port_id=port_id, tag=request.tag)


def attach(
    db: Session,
    context: Context,
    planned: Iterable[PlannedNic],
    server_id: str,
    host: str,
    availability_zone: str,
    hostname: str,
) -> list[Port]:
    """In the order of `planned`. Raises OverQuota, BadRequest, Conflict; what was planned may have been taken meanwhile."""
    owner = f"compute:{availability_zone}"
    return [
        _use(db, nic.port_id, server_id, host, owner, hostname)
        if nic.port_id
        else _make(db, context, nic, server_id, host, owner, hostname)
        for nic in planned
    ]


def _use(db: Session, port_id: str, server_id: str, host: str, owner: str, hostname: str) -> Port:
    port = db.get(Port, port_id)
    if port is None:
        raise BadRequest(f"Port id {port_id} could not be found.")
    if port.device_id or port.router_id or port.server_id:
        raise Conflict(f"Port {port_id} is still in use.")
    port.device_id, port.device_owner, port.server_id = server_id, owner, server_id
    port.dns_name = port.dns_name or hostname
    binding.bind(db, port, host)
    return port


def _make(db: Session, context: Context, nic: PlannedNic, server_id: str, host: str, owner: str, hostname: str) -> Port:
    network = db.get(Network, nic.network_id)
    if network is None:
        raise BadRequest(f"Network {nic.network_id} could not be found.")
    secured = network.port_security_enabled
    new = ports.NewPort(
        network=network,
        project_id=context.project_id or "",
        addresses=[AddressRequest(None, nic.fixed_ip)] if nic.fixed_ip else None,
        device_id=server_id,
        device_owner=owner,
        security_groups=(nic.security_groups or None) if secured else [],
        dns_name=hostname,
        host=host,
        made_by=COMPUTE,
        server_id=server_id,
    )
    try:
        return ports.create(db, new)
    except Conflict as error:
        if error.kind == "OverQuota":
            raise OverQuota("Maximum number of ports exceeded") from None
        if error.kind == "IpAddressGenerationFailure":
            raise BadRequest(f"No fixed IP addresses available for network: {network.id}") from None
        if error.kind == "IpAddressAlreadyAllocated":
            raise BadRequest(f"Fixed IP address {nic.fixed_ip} is already in use.") from None
        raise


def detach(db: Session, port: Port) -> None:
    """Ports that compute made go; ports of users stay, without a device."""
    if port.made_by == COMPUTE:
        ports.destroy(db, port)
        return
    port.device_id, port.device_owner, port.server_id = "", "", None
    binding.bind(db, port, "")


def floating_of(db: Session, port_ids: Iterable[str]) -> dict[tuple[str, str], list[str]]:
    """(port id, fixed address) -> floating addresses."""
    out: dict[tuple[str, str], list[str]] = {}
    query = select(FloatingIp.port_id, FloatingIp.fixed_ip_address, FloatingIp.floating_ip_address)
    for port_id, fixed, floating in db.execute(query.where(FloatingIp.port_id.in_(port_ids))):
        out.setdefault((port_id or "", fixed or ""), []).append(floating)
    return out


def change_groups(db: Session, context: Context, server_id: str, group: str, *, add: bool) -> None:
    """One group more or less on every port of a server. Raises NotFound, Conflict."""
    touched = list(db.scalars(select(Port).where(Port.server_id == server_id, Port.port_security_enabled.is_(True))))
    project_id = (
        touched[0].project_id if touched else context.project_id
    )  # an administrator acts for the server's project
    (group_id,) = groups.by_name_or_id(db, [group], project_id or "")
    held = [port for port in touched if any(member.security_group_id == group_id for member in port.groups)]
    if not add and not held:
        raise NotFound(f"Security group {group} is not associated with server {server_id}.")
    for port in touched:
        ids = [member.security_group_id for member in port.groups if member.security_group_id != group_id]
        groups.join(port, [*ids, group_id] if add else ids)
    db.flush()
