"""Which host a port is on, and which host serves a network's DHCP or runs a router."""

from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from pileus.kernel import clock
from pileus.network.drivers.mechanisms import FAILED, MECHANISMS, UNBOUND
from pileus.network.drivers.types.base import Carrier
from pileus.network.hosts.models import NetworkHost
from pileus.network.networks.models import Network
from pileus.network.ports.models import DHCP, SERVICE, Port
from pileus.network.routers.models import Router
from pileus.network.settings import settings_of


def bind(db: Session, port: Port, host: str) -> None:
    """The port's wanted host is `host` ('' is none); vif_type says whether that host can have it."""
    port.host = host
    port.vif_type, port.vif_details = UNBOUND, {}
    if host:
        row = db.get(NetworkHost, host)
        mechanism = MECHANISMS.get(row.mechanism) if row is not None else None
        binding = (
            mechanism.bind(carrier_of(port.network), port.vnic_type, row.physical_networks)
            if mechanism and row
            else None
        )
        port.vif_type, port.vif_details = (binding.vif_type, binding.vif_details) if binding else (FAILED, {})


def carrier_of(network: Network) -> Carrier:
    segment = network.segment
    return Carrier(segment.network_type, segment.physical_network, segment.segmentation_id)


def alive_hosts(db: Session) -> list[NetworkHost]:
    since = clock.after(-settings_of(db).host_down_after)
    query = (
        select(NetworkHost)
        .where(NetworkHost.last_seen > since, NetworkHost.admin_state_up.is_(True))
        .order_by(NetworkHost.host)
    )
    return list(db.scalars(query))


def dhcp_host(db: Session, network: Network) -> str | None:
    """The alive host with the fewest networks to serve that can reach this one."""
    hosts = [host for host in alive_hosts(db) if _reaches(host, [network])]
    return _least(
        hosts,
        dict(
            db.execute(
                select(Port.host, func.count())
                .where(Port.device_owner == DHCP, Port.made_by == SERVICE)
                .group_by(Port.host)
            ).all()
        ),
    )


def router_host(db: Session, networks: Sequence[Network], current: str) -> str | None:
    """The alive host that reaches all of `networks`: the current one if it does, else the one with the fewest routers."""
    hosts = [host for host in alive_hosts(db) if _reaches(host, networks)]
    if any(host.host == current for host in hosts):
        return current
    return _least(hosts, dict(db.execute(select(Router.host, func.count()).group_by(Router.host)).all()))


def _reaches(host: NetworkHost, networks: Sequence[Network]) -> bool:
    mechanism = MECHANISMS.get(host.mechanism)
    return mechanism is not None and all(
        mechanism.bind(carrier_of(n), "normal", host.physical_networks) for n in networks
    )


def _least(hosts: Sequence[NetworkHost], load: dict[str, int]) -> str | None:
    return min(hosts, key=lambda host: (load.get(host.host, 0), host.host)).host if hosts else None
