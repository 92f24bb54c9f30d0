"""The wanted network of one host, read whole in a constant number of queries."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from pileus.network.agent import snapshot as wire
from pileus.network.attributes import generation
from pileus.network.floating_ips.models import FloatingIp
from pileus.network.hosts.models import NetworkHost
from pileus.network.ports.models import DHCP, ROUTER_GATEWAY, SERVICE, IpAllocation, Port, PortGroup
from pileus.network.routers.models import Router
from pileus.network.security_groups.models import SecurityGroup
from pileus.network.settings import NetworkSettings, settings_of
from pileus.network.subnets.models import Subnet

Ids = Select[str]


def snapshot(db: Session, host: str) -> wire.Snapshot:
    """The generation is read first: a change in between is seen twice, never missed."""
    number = generation(db)
    bound = list(db.scalars(select(Port).where(Port.host == host).order_by(Port.id)))
    server_ports = [port for port in bound if not _is_service(port)]
    networks = _networks(db, host, bound)
    return wire.Snapshot(
        host=host,
        generation=number,
        networks=networks,
        ports=tuple(_port(port) for port in server_ports if port.vif_type != "binding_failed"),
        security_groups=_groups(db, server_ports, host),
        routers=_routers(db, host, [port for port in bound if port.router_id]),
    )


def _is_service(port: Port) -> bool:
    return port.router_id is not None or port.made_by == SERVICE


def fixed_ips(port: Port) -> tuple[wire.FixedIp, ...]:
    return tuple(wire.FixedIp(ip.subnet_id, ip.ip_address) for ip in port.fixed_ips)


def _port(port: Port) -> wire.Port:
    return wire.Port(
        id=port.id,
        network_id=port.network_id,
        mac=port.mac_address,
        fixed_ips=fixed_ips(port),
        admin_state_up=port.admin_state_up and port.network.admin_state_up,
        port_security=port.port_security_enabled,
        device_owner=port.device_owner,
        security_groups=tuple(group.security_group_id for group in port.groups),
        address_pairs=tuple(wire.AddressPair(pair["mac_address"], pair["ip_address"]) for pair in port.address_pairs),
    )


def _networks(db: Session, host: str, bound: Sequence[Port]) -> tuple[wire.Network, ...]:
    networks = {port.network_id: port.network for port in bound}
    here: Ids = select(Port.network_id).where(Port.host == host)
    subnets: dict[str, list[Subnet]] = defaultdict(list)
    for subnet in db.scalars(select(Subnet).where(Subnet.network_id.in_(here)).order_by(Subnet.created_at, Subnet.id)):
        subnets[subnet.network_id].append(subnet)
    peers: dict[str, set[str]] = defaultdict(set)
    elsewhere = select(Port.network_id, NetworkHost.tunnel_ip).join(NetworkHost, NetworkHost.host == Port.host)
    for network_id, tunnel_ip in db.execute(elsewhere.where(Port.network_id.in_(here), Port.host != host).distinct()):
        peers[network_id].add(tunnel_ip)
    dhcp_ports = {port.network_id: port for port in bound if port.made_by == SERVICE and port.device_owner == DHCP}
    served: dict[str, list[Port]] = defaultdict(list)
    if dhcp_ports:
        dhcp_here = here.where(Port.device_owner == DHCP, Port.made_by == SERVICE)
        for port in db.scalars(select(Port).where(Port.network_id.in_(dhcp_here)).order_by(Port.id)):
            served[port.network_id].append(port)
    settings = settings_of(db)
    return tuple(
        wire.Network(
            id=network.id,
            network_type=network.segment.network_type,
            physical_network=network.segment.physical_network or None,
            segmentation_id=network.segment.segmentation_id or None,
            mtu=network.mtu,
            subnets=tuple(_subnet(subnet) for subnet in subnets[network.id]),
            peers=tuple(sorted(peers[network.id])),
            dhcp=_dhcp(dhcp_ports[network.id], subnets[network.id], served[network.id], settings)
            if network.id in dhcp_ports
            else None,
        )
        for network in sorted(networks.values(), key=lambda network: network.id)
    )


def _subnet(subnet: Subnet) -> wire.Subnet:
    return wire.Subnet(
        id=subnet.id,
        cidr=subnet.cidr,
        ip_version=subnet.ip_version,
        gateway_ip=subnet.gateway_ip,
        enable_dhcp=subnet.enable_dhcp,
        dns_nameservers=tuple(subnet.dns_nameservers),
        host_routes=tuple((route["destination"], route["nexthop"]) for route in subnet.host_routes),
        ipv6_ra_mode=subnet.ipv6_ra_mode,
        ipv6_address_mode=subnet.ipv6_address_mode,
    )


def _dhcp(own: Port, subnets: Iterable[Subnet], ports: Iterable[Port], settings: NetworkSettings) -> wire.Dhcp:
    """A router that has a subnet's gateway address answers for metadata there; the DHCP namespace does where there is none."""
    everyone = list(ports)
    routed = {(ip.subnet_id, ip.ip_address) for port in everyone if port.router_id for ip in port.fixed_ips}
    own_address = {ip.subnet_id: ip.ip_address for ip in own.fixed_ips}
    via: dict[str, str] = {}
    isolated = False
    for subnet in subnets:
        if subnet.ip_version != 4 or not subnet.enable_dhcp:
            continue
        if subnet.gateway_ip and (subnet.id, subnet.gateway_ip) in routed:
            via[subnet.id] = subnet.gateway_ip
        elif subnet.id in own_address:
            via[subnet.id] = own_address[subnet.id]
            isolated = True
    return wire.Dhcp(
        port_id=own.id,
        mac=own.mac_address,
        fixed_ips=fixed_ips(own),
        hosts=tuple(_host(port) for port in everyone if port.id != own.id and port.fixed_ips),
        dns_domain=own.network.dns_domain.rstrip(".") or settings.dns_domain,
        lease_seconds=settings.dhcp_lease_seconds,
        metadata_via=via,
        serves_metadata=isolated,
    )


def _host(port: Port) -> wire.DhcpHost:
    return wire.DhcpHost(
        port_id=port.id,
        mac=port.mac_address,
        fixed_ips=fixed_ips(port),
        hostname=port.dns_name or default_hostname(port.fixed_ips[0].ip_address),
        device_id=port.server_id or "",
        project_id=port.project_id,
        extra_options=tuple(
            wire.DhcpOption(option["opt_name"], option["opt_value"], option["ip_version"])
            for option in port.dhcp_options
        ),
    )


def default_hostname(address: str) -> str:
    """`host-10-0-0-5`, as everybody knows it."""
    return "host-" + address.replace(".", "-").replace(":", "-")


def _routers(db: Session, host: str, ports: Sequence[Port]) -> tuple[wire.Router, ...]:
    own: dict[str, list[Port]] = defaultdict(list)
    for port in ports:
        own[port.router_id or ""].append(port)
    routers = list(db.scalars(select(Router).where(Router.host == host).order_by(Router.id)))
    floating: dict[str, list[FloatingIp]] = defaultdict(list)
    leading = select(FloatingIp).join(Router, Router.id == FloatingIp.router_id).where(Router.host == host)
    for row in db.scalars(leading.order_by(FloatingIp.id)):
        floating[row.router_id or ""].append(row)
    out = []
    for router in routers:
        gateway = next((port for port in own[router.id] if port.id == router.gateway_port_id), None)
        out.append(
            wire.Router(
                id=router.id,
                admin_state_up=router.admin_state_up,
                interfaces=tuple(_interface(port) for port in own[router.id] if port.device_owner != ROUTER_GATEWAY),
                gateway=_interface(gateway) if gateway is not None else None,
                enable_snat=router.enable_snat,
                floating_ips=tuple(
                    wire.FloatingIp(row.id, row.floating_ip_address, row.fixed_ip_address)
                    for row in floating[router.id]
                    if row.fixed_ip_address
                ),
                routes=tuple((route["destination"], route["nexthop"]) for route in router.routes),
            )
        )
    return tuple(out)


def _interface(port: Port) -> wire.RouterInterface:
    return wire.RouterInterface(port.id, port.network_id, port.mac_address, fixed_ips(port))


def _groups(db: Session, ports: Sequence[Port], host: str) -> tuple[wire.SecurityGroup, ...]:
    if not any(port.groups for port in ports):
        return ()
    used: Ids = select(PortGroup.security_group_id).join(Port, Port.id == PortGroup.port_id).where(Port.host == host)
    groups = list(db.scalars(select(SecurityGroup).where(SecurityGroup.id.in_(used)).order_by(SecurityGroup.id)))
    remote = {rule.remote_group_id for group in groups for rule in group.rules if rule.remote_group_id}
    members = _members(db, remote) if remote else {}
    named = remote - {group.id for group in groups}
    out = [
        wire.SecurityGroup(
            id=group.id,
            stateful=group.stateful,
            rules=tuple(
                wire.Rule(
                    r.direction,
                    r.ethertype,
                    r.protocol,
                    r.port_range_min,
                    r.port_range_max,
                    r.remote_ip_prefix,
                    r.remote_group_id,
                )
                for r in group.rules
            ),
            members=tuple(sorted(members.get(group.id, ()))),
        )
        for group in groups
    ]
    return (*out, *(wire.SecurityGroup(one, True, (), tuple(sorted(members.get(one, ())))) for one in sorted(named)))


def _members(db: Session, group_ids: set[str]) -> dict[str, set[str]]:
    """Addresses of the ports in each group: their own and those they may use besides."""
    out: dict[str, set[str]] = defaultdict(set)
    own = select(PortGroup.security_group_id, IpAllocation.ip_address).join(
        IpAllocation, IpAllocation.port_id == PortGroup.port_id
    )
    for group_id, address in db.execute(own.where(PortGroup.security_group_id.in_(group_ids))):
        out[group_id].add(address)
    paired = select(PortGroup.security_group_id, Port.address_pairs).join(Port, Port.id == PortGroup.port_id)
    for group_id, pairs in db.execute(paired.where(PortGroup.security_group_id.in_(group_ids))):
        out[group_id].update(pair["ip_address"] for pair in pairs)
    return out
