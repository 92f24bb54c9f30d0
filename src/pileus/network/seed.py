"""What a new cloud starts with: the external network, and the demo project's network behind a router. Idempotent."""

from ipaddress import ip_network

from sqlalchemy import select
from sqlalchemy.orm import Session

from pileus.identity import internal as identity
from pileus.kernel.cloud import Cloud
from pileus.network.drivers.types.base import Carrier
from pileus.network.networks import actions as networks
from pileus.network.networks.models import Network
from pileus.network.routers import actions as routers
from pileus.network.routers.models import Router
from pileus.network.security_groups.actions import ensure_default
from pileus.network.settings import NetworkSettings
from pileus.network.subnets import actions as subnets
from pileus.network.subnets import cidrs
from pileus.network.subnets.models import Subnet

ROUTER = "router1"


def seed(cloud: Cloud) -> None:
    settings = cloud.settings(NetworkSettings)
    with cloud.db.writing() as db:
        admin, demo = identity.project_id(db, "admin"), identity.project_id(db, "demo")
        for project in (admin, demo):
            if project is not None:
                ensure_default(db, project)
        public = _public(db, settings, admin) if settings.public_network and admin is not None else None
        if settings.private_network and demo is not None:
            _private(db, settings, demo, public)


def _named(db: Session, name: str, project_id: str) -> Network | None:
    return db.scalar(select(Network).where(Network.name == name, Network.project_id == project_id).limit(1))


def _public(db: Session, settings: NetworkSettings, admin: str) -> Network:
    found = db.scalar(
        select(Network).where(Network.name == settings.public_network, Network.external.is_(True)).limit(1)
    )
    if found is not None:
        return found
    network = networks.create(
        db,
        admin,
        Network(name=settings.public_network, external=True, is_default=True),
        Carrier("flat", settings.public_physical_network),
        None,
    )
    cidr = cidrs.cidr(settings.public_cidr)
    start, _, end = settings.public_pool.partition("-")
    pool = {"start": start.strip(), "end": end.strip()}
    gateway = cidrs.gateway(settings.public_gateway, cidr)
    _subnet(db, network, f"{network.name}-subnet", settings.public_cidr, gateway, [pool], dhcp=False)
    return network


def _private(db: Session, settings: NetworkSettings, demo: str, public: Network | None) -> None:
    if _named(db, settings.private_network, demo) is not None:
        return
    network = networks.create(db, demo, Network(name=settings.private_network), None, None)
    subnet = _subnet(db, network, f"{network.name}-subnet", settings.private_cidr, None, None, dns=settings.private_dns)
    router = Router(name=ROUTER, project_id=demo, routes=[], gateway_port=None)
    db.add(router)
    db.flush()
    if public is not None:
        routers.set_gateway(db, router, public, [], True)
    routers.add_subnet(db, router, subnet)


def _subnet(
    db: Session,
    network: Network,
    name: str,
    text: str,
    gateway: str | None,
    pools: list[dict[str, str]] | None,
    *,
    dhcp: bool = True,
    dns: tuple[str, ...] = (),
) -> Subnet:
    cidr = ip_network(text)
    gateway = gateway or cidrs.default_gateway(cidr)
    row = Subnet(
        project_id=network.project_id,
        name=name,
        cidr=str(cidr),
        ip_version=cidr.version,
        gateway_ip=gateway,
        enable_dhcp=dhcp,
        allocation_pools=cidrs.pools(pools, cidr, gateway) if pools else cidrs.default_pools(cidr, gateway),
        dns_nameservers=cidrs.nameservers(dns, len(dns)),
        host_routes=[],
        service_types=[],
    )
    return subnets.create(db, network, row)
