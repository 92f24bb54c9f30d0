"""Hosts as the scheduler sees them: the row, its supply, its aggregates, how busy it is. Three queries, whatever their number."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from sqlalchemy import BindParameter, bindparam, case, func, select
from sqlalchemy.orm import Session

from pileus.compute.aggregates.models import Aggregate, AggregateHost
from pileus.compute.hosts.models import Host
from pileus.compute.servers.models import Server
from pileus.placement.internal import Supply

# Made once: making a statement costs as much as running it.
_HOSTS = select(Host).where(Host.id.in_(bindparam("ids", expanding=True)))
_NAMES: BindParameter[str] = bindparam("names", expanding=True)
_METAS = select(AggregateHost.host, Aggregate.meta).join(Aggregate, Aggregate.id == AggregateHost.aggregate_id)
_METAS = _METAS.where(AggregateHost.host.in_(_NAMES))
_BEHIND = func.sum(case((Server.generation > Server.observed_generation, 1), else_=0))
_BUSY = select(Server.host, func.count(), _BEHIND).where(Server.host.in_(_NAMES)).group_by(Server.host)


class HostState(NamedTuple):
    """`aggregates`: the metadata of each aggregate it is in. `servers` counts those on it, `changing` those it is still working on."""

    host: Host
    supply: Supply
    aggregates: tuple[Mapping[str, str], ...] = ()
    servers: int = 0
    changing: int = 0

    def free(self, resource_class: str) -> int:
        stock = self.supply.stock.get(resource_class)
        return stock.free if stock is not None else 0

    def values(self, key: str) -> set[str]:
        """What the aggregates say of `key`; commas separate several values of one."""
        told = [meta[key] for meta in self.aggregates if key in meta]
        return {value.strip() for text in told for value in text.split(",")}


def read(db: Session, supplies: Iterable[Supply]) -> list[HostState]:
    """In the order of the supplies; providers that are no hosts are left out."""
    by_id = {supply.provider_id: supply for supply in supplies}
    hosts = {host.id: host for host in db.scalars(_HOSTS, {"ids": list(by_id)})}
    names = [host.name for host in hosts.values()]
    aggregates: dict[str, list[Mapping[str, str]]] = {}
    for name, meta in db.execute(_METAS, {"names": names}):
        aggregates.setdefault(name, []).append(meta)
    busy = {name: (int(every), int(changing or 0)) for name, every, changing in db.execute(_BUSY, {"names": names})}
    return [
        HostState(hosts[key], supply, tuple(aggregates.get(hosts[key].name, ())), *busy.get(hosts[key].name, (0, 0)))
        for key, supply in by_id.items()
        if key in hosts
    ]
