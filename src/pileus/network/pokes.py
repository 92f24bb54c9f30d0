"""Hints to host agents after a change: look at what you must have."""

from collections.abc import Iterable

from sqlalchemy import ColumnElement, or_, select

from pileus.kernel.bus.base import agent_topic
from pileus.kernel.http.call import Call
from pileus.network.ports.models import Port, PortGroup
from pileus.network.routers.models import Router
from pileus.network.security_groups.models import SecurityGroupRule


def hosts(call: Call, names: Iterable[str]) -> None:
    for name in sorted({name for name in names if name}):
        call.poke(agent_topic(name), "changed")


def networks(call: Call, *network_ids: str) -> None:
    """All hosts that have ports of these networks."""
    call.db.flush()
    hosts(call, call.db.scalars(select(Port.host).where(Port.network_id.in_(network_ids), Port.host != "").distinct()))


def router(call: Call, row: Router, *network_ids: str) -> None:
    """The router's host, and those of the networks it met."""
    hosts(call, [row.host])
    if network_ids:
        networks(call, *network_ids)


def groups(call: Call, *group_ids: str) -> None:
    """Hosts whose ports are in the groups, or in groups with rules that name them."""
    call.db.flush()
    hosts(call, call.db.scalars(select(Port.host).where(_concerned(group_ids), Port.host != "").distinct()))


def _concerned(group_ids: Iterable[str]) -> ColumnElement[bool]:
    wanted = list(group_ids)
    naming = select(SecurityGroupRule.security_group_id).where(SecurityGroupRule.remote_group_id.in_(wanted))
    members = select(PortGroup.port_id).where(
        or_(PortGroup.security_group_id.in_(wanted), PortGroup.security_group_id.in_(naming))
    )
    return Port.id.in_(members)


def port(call: Call, row: Port, *before: str) -> None:
    """A port's network, its groups' other members, and hosts that had it before."""
    call.db.flush()
    ids = [member.security_group_id for member in row.groups]
    near = or_(Port.network_id == row.network_id, _concerned(ids)) if ids else Port.network_id == row.network_id
    hosts(call, [*before, row.host, *call.db.scalars(select(Port.host).where(near, Port.host != "").distinct())])
