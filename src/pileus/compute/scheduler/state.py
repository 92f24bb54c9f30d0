"""Hosts as the scheduler sees them: the row, its supply, its aggregates, how busy it is. Three queries, whatever their number."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import NamedTuple

from sqlalchemy import BindParameter, and_, bindparam, case, func, or_, select
from sqlalchemy.orm import Session, defer

from pileus.compute.aggregates.models import Aggregate, AggregateHost
from pileus.compute.hosts.models import Host
from pileus.compute.servers.models import Server
from pileus.compute.servers.states import TASKS
from pileus.compute.topology import claims
from pileus.compute.topology.room import Room
from pileus.placement import internal as placement
from pileus.placement.internal import Layout, Parts, Supply

# What works the host's disks hard, besides building.
_TASKS = {"rebuilding", "rebuild_spawning", "resize_prep", "resize_migrating", "migrating"}
_TASKS |= {"image_snapshot", "image_backup", "rescuing", "unshelving"}
_VERBS = [verb for verb, task in TASKS.items() if task in _TASKS]

# Made once: making a statement costs as much as running it.
_HOSTS = select(Host).where(Host.id.in_(bindparam("ids", expanding=True)))
_HOSTS = _HOSTS.options(defer(Host.notes), defer(Host.uptime), defer(Host.created_at))
_NAMES: BindParameter[str] = bindparam("names", expanding=True)
_METAS = select(AggregateHost.host, Aggregate.meta).join(Aggregate, Aggregate.id == AggregateHost.aggregate_id)
_METAS = _METAS.where(AggregateHost.host.in_(_NAMES))
_AT_WORK = or_(
    Server.launched_at.is_(None), and_(Server.verb.in_(_VERBS), Server.generation > Server.observed_generation)
)
_IO_OPS = func.sum(case((and_(Server.fault.is_(None), _AT_WORK), 1), else_=0))
_BUSY = select(Server.host, func.count(), _IO_OPS).where(Server.host.in_(_NAMES)).group_by(Server.host)
_IMAGES = select(Server.host, Server.image).where(Server.host.in_(_NAMES))


class HostState(NamedTuple):
    """`aggregates`: the metadata of each aggregate it is in. `servers` counts those on it, `io_ops` those being built, rebuilt, moved, ….

    `images`: the image properties of its servers, where somebody asked for them (`with_images`).
    """

    host: Host
    supply: Supply
    aggregates: tuple[Mapping[str, str], ...] = ()
    servers: int = 0
    io_ops: int = 0
    images: tuple[Mapping[str, str], ...] = ()
    layout: Layout | None = None  # for flavors with numbered groups: who would give what
    lacking: Parts | None = None  # or that nobody would
    room: Room | None = None  # what is left of its hardware, where the request asks for parts of it (`with_rooms`)

    def free(self, resource_class: str) -> int:
        stock = self.supply.stock.get(resource_class)
        return stock.free if stock is not None else 0

    def used(self, resource_class: str) -> int:
        stock = self.supply.stock.get(resource_class)
        return stock.used if stock is not None else 0

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
    busy = {name: (int(every), int(io_ops or 0)) for name, every, io_ops in db.execute(_BUSY, {"names": names})}
    return [
        HostState(hosts[key], supply, tuple(aggregates.get(hosts[key].name, ())), *busy.get(hosts[key].name, (0, 0)))
        for key, supply in by_id.items()
        if key in hosts
    ]


def with_rooms(db: Session, states: Iterable[HostState]) -> list[HostState]:
    """The same with what is left of their cells, CPUs, pages and devices. Read after the supplies, whose generation a claim needs too."""
    states = list(states)
    rooms = claims.rooms(db, [state.host.id for state in states])
    return [
        state._replace(room=_promised(rooms[state.host.id], state)) if state.host.id in rooms else state
        for state in states
    ]


def with_layouts(db: Session, wanted: Mapping[str, int], parts: Parts, states: Iterable[HostState]) -> list[HostState]:
    """The same with the providers of each host's tree that would give what is wanted and the parts; or with what they lack."""
    states = list(states)
    found = placement.layouts(db, [state.host.id for state in states], wanted, parts)
    return [
        state._replace(layout=found[state.host.id]) if state.host.id in found else state._replace(lacking=parts)
        for state in states
    ]


def _promised(room: Room, state: HostState) -> Room:
    """With the allocation ratios of the host's inventory."""
    cpu, ram = (state.supply.stock.get(name) for name in ("VCPU", "MEMORY_MB"))
    return replace(room, cpu_ratio=cpu.allocation_ratio if cpu else 1.0, ram_ratio=ram.allocation_ratio if ram else 1.0)


def with_images(db: Session, states: Iterable[HostState]) -> list[HostState]:
    """The same with the image properties of every server of theirs: one query more, as long as they have servers."""
    states = list(states)
    held: dict[str, list[Mapping[str, str]]] = {}
    for name, image in db.execute(_IMAGES, {"names": [state.host.name for state in states]}):
        held.setdefault(str(name), []).append(image.get("properties", {}))
    return [state._replace(images=tuple(held.get(state.host.name, ()))) for state in states]
