"""The door of the network service for other services. Every function takes the caller's session and never commits."""

from collections.abc import Collection, Iterable, Sequence
from typing import Any, Literal

import msgspec
from sqlalchemy import delete, or_, select
from sqlalchemy.orm import Session

from pileus.kernel.context import Context
from pileus.network import attributes, nics
from pileus.network.agent.snapshot import NetworkReport, Snapshot
from pileus.network.hosts import binding, reports, services, snapshots
from pileus.network.hosts.models import NetworkHost
from pileus.network.networks.models import Network
from pileus.network.nics import NicRequest, PlannedNic
from pileus.network.ports import states
from pileus.network.ports.models import COMPUTE, IpAllocation, Port, PortGroup
from pileus.network.security_groups.models import SecurityGroup
from pileus.network.subnets.models import Subnet

__all__ = ["NicRequest", "PlannedNic"]  # beside what is defined here


class SubnetFacts(msgspec.Struct, frozen=True):
    """What network_data.json tells of a subnet."""

    id: str
    cidr: str
    ip_version: int
    gateway_ip: str | None
    dns_nameservers: tuple[str, ...]
    routes: tuple[tuple[str, str], ...]  # (destination, next hop)
    enable_dhcp: bool
    ipv6_address_mode: str | None


class AddressFacts(msgspec.Struct, frozen=True):
    """A fixed address, and the floating ones that lead to it."""

    ip_address: str
    subnet_id: str
    ip_version: int
    floating_ips: tuple[str, ...] = ()


class PortFacts(msgspec.Struct, frozen=True):
    """A server's port. `devname` is the tap that the hypervisor plugs; `status` ACTIVE once its host reports it up."""

    id: str
    server_id: str
    project_id: str
    mac_address: str
    network_id: str
    network_name: str
    mtu: int
    fixed_ips: tuple[AddressFacts, ...]
    subnets: tuple[SubnetFacts, ...]
    security_groups: tuple[str, ...]  # names
    status: str
    admin_state_up: bool
    devname: str
    host: str
    vnic_type: str
    vif_type: str
    vif_details: dict[str, Any]
    made_by_compute: bool


class Orphan(msgspec.Struct, frozen=True):
    """A port that belongs to a server nobody knows."""

    port_id: str
    server_id: str


# ---- network hosts and their agents


def register_host(db: Session, host: str, tunnel_ip: str, physical_networks: Sequence[str], mechanism: str) -> None:
    """The agent of `host` started: DHCP and routers that wait for a host are scheduled."""
    reports.register(db, host, tunnel_ip, physical_networks, mechanism)


def host_seen(db: Session, host: str, notes: Sequence[str] = ()) -> None:
    """A sign of life. Unknown hosts are ignored: they register first."""
    reports.seen(db, host, notes)


def ensure_services(db: Session) -> None:
    """Every network with DHCP has its port, every router its host, as far as hosts are alive. Twice equals once."""
    services.ensure_services(db)


def snapshot(db: Session, host: str) -> Snapshot:
    """Everything that `host` must have, in a constant number of queries."""
    return snapshots.snapshot(db, host)


def generation(db: Session) -> int:
    """Rises with every change of any host's wanted state, so that agents skip work that is done."""
    return attributes.generation(db)


def apply_report(db: Session, report: NetworkReport) -> list[str]:
    """Write what stands on a host; ids of the servers whose ports have another status now."""
    return reports.apply(db, report)


def alive_hosts(db: Session) -> list[str]:
    return [row.host for row in binding.alive_hosts(db)]


def host_faults(db: Session) -> dict[str, tuple[tuple[str, ...], dict[str, str]]]:
    """Host -> (notes, id of a network, port or router -> why it could not be made true), for `status`."""
    return {
        row.host: (tuple(row.notes), dict(row.faults))
        for row in db.scalars(select(NetworkHost).order_by(NetworkHost.host))
    }


# ---- interfaces of servers


def plan_nics(
    db: Session,
    context: Context,
    requests: Sequence[NicRequest] | Literal["auto", "none"],
    security_groups: Sequence[str] = (),
) -> list[PlannedNic]:
    """Check all that a server create asks of the network; `security_groups` are names or ids, empty is the default group.

    Raises BadRequest (not found, bad address), Conflict (port in use, more than one network possible), Forbidden (external network),
    OverQuota. "auto" with no network at all is an empty plan.
    """
    return nics.plan(db, context, requests, security_groups)


def attach_nics(
    db: Session,
    context: Context,
    planned: Iterable[PlannedNic],
    server_id: str,
    host: str = "",
    availability_zone: str = "nova",
    hostname: str = "",
) -> list[PortFacts]:
    """Create or take the ports, in the order of `planned`; with an empty `host` they stay unbound until `bind_host`.

    Raises OverQuota, BadRequest (no address left, address taken) and Conflict (port taken).
    """
    made = nics.attach(db, context, planned, server_id, host, availability_zone, hostname)
    db.flush()
    by_id = {facts.id: facts for facts in _facts(db, made)}
    return [by_id[port.id] for port in made]


def release_device(db: Session, server_id: str) -> None:
    """Ports that were made for the server go, ports of users are set free. Nothing to do is no error."""
    for port in db.scalars(select(Port).where(Port.server_id == server_id)):
        nics.detach(db, port)
    db.flush()


def bind_host(db: Session, server_id: str, host: str) -> None:
    """The server is on `host` from now on ('' is nowhere)."""
    for port in db.scalars(select(Port).where(Port.server_id == server_id)):
        binding.bind(db, port, host)
    db.flush()


def detach_port(db: Session, port_id: str) -> bool:
    """Take one port off its server; False when it has none."""
    port = db.get(Port, port_id)
    if port is None or port.server_id is None:
        return False
    nics.detach(db, port)
    db.flush()
    return True


def ports_of(db: Session, server_ids: Collection[str]) -> dict[str, list[PortFacts]]:
    """Ports of each server, in the order they were attached; a constant number of queries for any number of servers."""
    out: dict[str, list[PortFacts]] = {server_id: [] for server_id in server_ids}
    if out:
        rows = list(db.scalars(select(Port).where(Port.server_id.in_(out)).order_by(Port.created_at, Port.id)))
        for facts in _facts(db, rows):
            out[facts.server_id].append(facts)
    return out


def server_addresses(db: Session, project_id: str | None) -> list[tuple[str, str]]:
    """(server id, fixed address) of every server's port, of one project or of all."""
    query = select(Port.server_id, IpAllocation.ip_address).join(IpAllocation, IpAllocation.port_id == Port.id)
    query = query.where(Port.server_id.is_not(None))
    if project_id is not None:
        query = query.where(Port.project_id == project_id)
    return [(server_id or "", address) for server_id, address in db.execute(query)]


def security_group_names(db: Session, server_ids: Collection[str]) -> dict[str, list[str]]:
    """Names of the groups of each server's ports, without doubles."""
    out: dict[str, list[str]] = {server_id: [] for server_id in server_ids}
    query = (
        select(Port.server_id, SecurityGroup.name)
        .join(PortGroup, PortGroup.port_id == Port.id)
        .join(SecurityGroup, SecurityGroup.id == PortGroup.security_group_id)
        .where(Port.server_id.in_(out))
        .distinct()
        .order_by(SecurityGroup.name)
    )
    if out:
        for server_id, name in db.execute(query):
            out[server_id or ""].append(name)
    return out


class RuleFacts(msgspec.Struct, frozen=True):
    """A rule of a security group; None means any."""

    id: str
    direction: str
    protocol: str | None
    port_min: int | None
    port_max: int | None
    remote_cidr: str | None
    remote_group: str | None


class GroupFacts(msgspec.Struct, frozen=True):
    id: str
    name: str
    description: str
    project_id: str
    rules: tuple[RuleFacts, ...]


def security_groups(db: Session, server_id: str) -> list[GroupFacts]:
    """The groups of a server's ports, whole, by name."""
    ids = (
        select(PortGroup.security_group_id).join(Port, Port.id == PortGroup.port_id).where(Port.server_id == server_id)
    )
    query = select(SecurityGroup).where(SecurityGroup.id.in_(ids)).order_by(SecurityGroup.name, SecurityGroup.id)
    return [
        GroupFacts(
            group.id,
            group.name,
            group.description or "",
            group.project_id,
            tuple(
                RuleFacts(
                    rule.id,
                    rule.direction,
                    rule.protocol,
                    rule.port_range_min,
                    rule.port_range_max,
                    rule.remote_ip_prefix,
                    rule.remote_group_id,
                )
                for rule in group.rules
            ),
        )
        for group in db.scalars(query)
    ]


def change_groups(db: Session, context: Context, server_id: str, group: str, *, add: bool) -> None:
    """Compute's addSecurityGroup and removeSecurityGroup. Raises NotFound, Conflict (several groups of that name)."""
    nics.change_groups(db, context, server_id, group, add=add)


def hosts_of(db: Session, server_id: str) -> list[str]:
    """Hosts whose wanted set a change of the server's ports touches: all that have ports of its networks. To be poked after commit."""
    networks = select(Port.network_id).where(Port.server_id == server_id)
    hosts = select(Port.host).where(Port.network_id.in_(networks), Port.host != "").distinct()
    return sorted(db.scalars(hosts))


def find_by_address(
    db: Session, ip_address: str, *, network_id: str | None = None, router_id: str | None = None
) -> PortFacts | None:
    """The server's port that has an address on a network, or on any network that a router joins: who asks when metadata is asked."""
    query = select(Port).join(IpAllocation, IpAllocation.port_id == Port.id)
    query = query.where(IpAllocation.ip_address == ip_address, Port.server_id.is_not(None))
    if network_id is not None:
        query = query.where(Port.network_id == network_id)
    if router_id is not None:
        query = query.where(Port.network_id.in_(select(Port.network_id).where(Port.router_id == router_id)))
    found = list(db.scalars(query.limit(2)))
    return _facts(db, found)[0] if len(found) == 1 else None


def orphans(db: Session, known_server_ids: Collection[str]) -> list[Orphan]:
    """Ports of servers that are not known (any more)."""
    query = select(Port.id, Port.server_id).where(Port.server_id.is_not(None)).order_by(Port.id)
    known = set(known_server_ids)
    return [
        Orphan(port_id, server_id) for port_id, server_id in db.execute(query) if server_id and server_id not in known
    ]


def forget_host(db: Session, host: str) -> None:
    """A host left the cloud for good: what it served is scheduled elsewhere."""
    db.execute(delete(NetworkHost).where(NetworkHost.host == host))
    attributes.bump(db)
    services.ensure_services(db)


def networks_named(db: Session, context: Context) -> dict[str, str]:
    """Id -> name of the networks that the caller may see."""
    query = select(Network.id, Network.name)
    if not context.is_admin:
        query = query.where(
            or_(Network.project_id == context.project_id, Network.shared.is_(True), Network.external.is_(True))
        )
    return dict(db.execute(query).all())


def _facts(db: Session, rows: Sequence[Port]) -> list[PortFacts]:
    """Three queries for all of them, beside the ports' own."""
    if not rows:
        return []
    subnet_ids = {ip.subnet_id for port in rows for ip in port.fixed_ips}
    subnets = {row.id: _subnet(row) for row in db.scalars(select(Subnet).where(Subnet.id.in_(subnet_ids)))}
    floating = nics.floating_of(db, [port.id for port in rows])
    group_ids = {group.security_group_id for port in rows for group in port.groups}
    named = dict(db.execute(select(SecurityGroup.id, SecurityGroup.name).where(SecurityGroup.id.in_(group_ids))).all())
    return [
        PortFacts(
            id=port.id,
            server_id=port.server_id or "",
            project_id=port.project_id,
            mac_address=port.mac_address,
            network_id=port.network_id,
            network_name=port.network.name,
            mtu=port.network.mtu,
            fixed_ips=tuple(
                AddressFacts(
                    ip.ip_address,
                    ip.subnet_id,
                    subnets[ip.subnet_id].ip_version,
                    tuple(floating.get((port.id, ip.ip_address), ())),
                )
                for ip in port.fixed_ips
            ),
            subnets=tuple(subnets[one] for one in dict.fromkeys(ip.subnet_id for ip in port.fixed_ips)),
            security_groups=tuple(named[group.security_group_id] for group in port.groups),
            status=states.status(port),
            admin_state_up=port.admin_state_up,
            devname=f"tap{port.id[:11]}",
            host=port.host,
            vnic_type=port.vnic_type,
            vif_type=port.vif_type,
            vif_details=port.vif_details,
            made_by_compute=port.made_by == COMPUTE,
        )
        for port in rows
    ]


def _subnet(row: Subnet) -> SubnetFacts:
    return SubnetFacts(
        id=row.id,
        cidr=row.cidr,
        ip_version=row.ip_version,
        gateway_ip=row.gateway_ip,
        dns_nameservers=tuple(row.dns_nameservers),
        routes=tuple((route["destination"], route["nexthop"]) for route in row.host_routes),
        enable_dhcp=row.enable_dhcp,
        ipv6_address_mode=row.ipv6_address_mode,
    )
