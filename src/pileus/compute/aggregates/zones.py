"""Availability zones follow from aggregates: a host has one, kept in its row for the scheduler."""

from collections.abc import Collection

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from pileus.compute.aggregates.models import Aggregate, AggregateHost
from pileus.compute.aggregates.schemas import Zone
from pileus.compute.hosts.models import Host
from pileus.compute.servers.models import Server
from pileus.kernel.errors import BadRequest, Conflict

DEFAULT_ZONE = "nova"


def check_name(zone: str) -> None:
    try:
        msgspec.convert(zone, Zone)
    except msgspec.ValidationError:
        raise BadRequest(f"Invalid availability zone name {zone!r}: it is 1 to 255 characters without ':'") from None


def move(db: Session, names: Collection[str], zone: str | None, aggregate: Aggregate) -> None:
    """Put hosts into the zone that this aggregate gives (None: no longer any). Refused for hosts of another zone, or with servers."""
    wanted = zone or DEFAULT_ZONE
    moving = [host for host in db.scalars(select(Host).where(Host.name.in_(names))) if host.availability_zone != wanted]
    if not moving:
        return
    others = select(AggregateHost.host, Aggregate.meta).join(Aggregate, Aggregate.id == AggregateHost.aggregate_id)
    elsewhere = {
        host: meta["availability_zone"]
        for host, meta in db.execute(others.where(AggregateHost.host.in_(names), Aggregate.id != aggregate.id))
        if "availability_zone" in meta
    }
    if zone is None:
        moving = [host for host in moving if host.name not in elsewhere]
    for host in moving:
        if host.name in elsewhere:
            raise Conflict(f"Host {host.name} is already in availability zone {elsewhere[host.name]}.")
    busy = db.scalar(select(Server.host).where(Server.host.in_([host.name for host in moving])).limit(1))
    if busy is not None:
        raise Conflict(f"Host {busy} has instances: its availability zone can not change.")
    for host in moving:
        host.availability_zone = wanted
