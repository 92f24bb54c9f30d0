"""Hints to host agents after a change: look at what you must have."""

from collections.abc import Iterable

from sqlalchemy import ColumnElement, or_, select

from pileus.kernel.bus.base import agent_topic
from pileus.kernel.http.call import Call
from pileus.network.hosts.models import NetworkHost
from pileus.network.ports.models import Port, PortGroup
from pileus.network.routers.models import Router
from pileus.network.security_groups.models import SecurityGroupRule


def hosts(call: Call, names: Iterable[str]) -> None:
    for name in sorted({name for name in names if name}):
        call.poke(agent_topic(name), "changed")


def networks(call: Call, *network_ids: str) -> None:
    """All hosts that have ports of these networks."""
    _where(call, Port.network_id.in_(network_ids))


def router(call: Call, row: Router, *network_ids: str) -> None:
    """The router's host, and those of the networks it met."""
    hosts(call, [row.host])
    if network_ids:
        networks(call, *network_ids)


def groups(call: Call, *group_ids: str) -> None:
    """Hosts whose ports are in the groups, or in groups with rules that name them."""
    _where(call, *_members(group_ids))


def port(call: Call, row: Port, *before: str) -> None:
    """A port's network, its groups' other members, and hosts that had it before."""
    hosts(call, [*before, row.host])
    _where(call, Port.network_id == row.network_id, *_members([member.security_group_id for member in row.groups]))


def _members(group_ids: Iterable[str]) -> tuple[ColumnElement[bool], ...]:
    wanted = list(group_ids)
    if not wanted:
        return ()
    naming = select(SecurityGroupRule.security_group_id).where(SecurityGroupRule.remote_group_id.in_(wanted))
    member = select(PortGroup.port_id).where(PortGroup.port_id == Port.id)
    concerned = or_(PortGroup.security_group_id.in_(wanted), PortGroup.security_group_id.in_(naming))
    return (member.where(concerned).exists(),)


def _where(call: Call, *conditions: ColumnElement[bool]) -> None:
    """Hosts with a port that meets one of the conditions; each look ends at the first such port."""
    call.db.flush()
    found = (select(Port.id).where(Port.host == NetworkHost.host, condition).exists() for condition in conditions)
    hosts(call, call.db.scalars(select(NetworkHost.host).where(or_(*found))))
