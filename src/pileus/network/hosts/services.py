"""DHCP ports and router hosts: which the wanted state implies, made in the transaction that implies them."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from pileus.kernel.cloud import Cloud
from pileus.network.hosts import binding
from pileus.network.networks.models import Network
from pileus.network.ports import actions as ports
from pileus.network.ports import addresses
from pileus.network.ports.addresses import AddressRequest
from pileus.network.ports.models import DHCP, SERVICE, Port
from pileus.network.routers.models import Router
from pileus.network.subnets.models import Subnet


def keep(cloud: Cloud) -> None:
    """The timer's half: what a dead host served moves even when nothing else happens."""
    cloud.db.transact(ensure_services)


def ensure_services(db: Session) -> None:
    """Every network with DHCP has its port, every router its host, as far as hosts are alive. Twice equals once."""
    served = select(Port.network_id).where(
        Port.device_owner == DHCP, Port.made_by == SERVICE, Port.host.in_([h.host for h in binding.alive_hosts(db)])
    )
    wanting = select(Subnet.network_id).where(Subnet.enable_dhcp.is_(True), Subnet.network_id.not_in(served))
    for network in db.scalars(select(Network).where(Network.id.in_(wanting)).order_by(Network.created_at)):
        ensure_dhcp(db, network)
    hosts = [h.host for h in binding.alive_hosts(db)]
    for router in db.scalars(select(Router).where(Router.host.not_in(hosts)).order_by(Router.created_at)):
        ensure_router(db, router)
    db.flush()


def ensure_dhcp(db: Session, network: Network) -> None:
    """The network's DHCP port has one address in each subnet with DHCP, or is gone when there is none."""
    subnets = list(db.scalars(select(Subnet).where(Subnet.network_id == network.id, Subnet.enable_dhcp.is_(True))))
    port = db.scalar(
        select(Port).where(Port.network_id == network.id, Port.device_owner == DHCP, Port.made_by == SERVICE)
    )
    if not subnets:
        if port is not None:
            ports.destroy(db, port)
        return
    alive = {host.host for host in binding.alive_hosts(db)}
    host = port.host if port is not None and port.host in alive else binding.dhcp_host(db, network)
    if host is None:
        return
    if port is None:
        requests = [AddressRequest(subnet.id) for subnet in subnets if _has_room(db, subnet)]
        ports.create(
            db,
            ports.NewPort(
                network=network,
                project_id=network.project_id,
                addresses=requests,
                device_owner=DHCP,
                device_id=f"dhcp-{network.id}",
                host=host,
                made_by=SERVICE,
            ),
        )
        return
    if port.host != host:
        binding.bind(db, port, host)
    wanted = {subnet.id for subnet in subnets}
    held = {ip.subnet_id for ip in port.fixed_ips}
    if wanted != held:
        missing = [AddressRequest(subnet.id) for subnet in subnets if subnet.id not in held and _has_room(db, subnet)]
        kept = [AddressRequest(ip.subnet_id, ip.ip_address) for ip in port.fixed_ips if ip.subnet_id in wanted]
        if missing or len(kept) != len(port.fixed_ips):
            ports.readdress(db, port, [*kept, *missing])


def _has_room(db: Session, subnet: Subnet) -> bool:
    """A full subnet is left out; the others are served all the same."""
    return subnet.from_mac or addresses.free_address(db, subnet) is not None


def ensure_router(db: Session, router: Router) -> None:
    """The router has an alive host that reaches all its networks, and its ports are bound there."""
    own = router_ports(db, router.id)
    networks = list({port.network_id: port.network for port in own}.values())
    host = binding.router_host(db, networks, router.host)
    if host is None:
        return
    router.host = host
    for port in own:
        if port.host != host:
            binding.bind(db, port, host)


def router_ports(db: Session, router_id: str) -> list[Port]:
    """Interfaces and gateway."""
    return list(db.scalars(select(Port).where(Port.router_id == router_id)))
