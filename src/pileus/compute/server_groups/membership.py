"""Groups at the creation of servers: `hints.group` names one, the scheduler is told of it, the server joins it."""

from collections.abc import Mapping
from typing import NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from pileus.compute.server_groups.models import ServerGroup, ServerGroupMember
from pileus.compute.servers.models import Server


class GroupFacts(NamedTuple):
    """What the scheduler needs of a group: `hosts` maps a host's name to how many members it has."""

    policy: str
    hosts: Mapping[str, int]
    most_per_host: int = 1


def find(db: Session, project_id: str, group_id: str) -> ServerGroup | None:
    """None when there is none of that id in the project."""
    return db.scalar(select(ServerGroup).where(ServerGroup.id == group_id, ServerGroup.project_id == project_id))


def facts(db: Session, group: ServerGroup) -> GroupFacts:
    """To be read anew for each server of a request: the one before counts."""
    query = (
        select(Server.host, func.count())
        .join(ServerGroupMember, ServerGroupMember.server_id == Server.id)
        .where(ServerGroupMember.group_id == group.id, Server.host.is_not(None), Server.wanted != "deleted")
        .group_by(Server.host)
    )
    hosts = {str(host): int(count) for host, count in db.execute(query)}
    return GroupFacts(group.policy, hosts, int(group.rules.get("max_server_per_host", 1)))


def size(db: Session, group: ServerGroup) -> int:
    """Members, for the quota `server_group_members`."""
    members = select(func.count()).select_from(ServerGroupMember).where(ServerGroupMember.group_id == group.id)
    return db.scalar(members) or 0


def join(db: Session, group: ServerGroup, server_id: str) -> None:
    """After the server's row is flushed."""
    db.add(ServerGroupMember(server_id=server_id, group_id=group.id))
    db.flush()


def hosts_of(db: Session, project_id: str, server_ids: list[str]) -> frozenset[str]:
    """Names of the hosts of a project's servers, for the hints `same_host` and `different_host`. Others are ignored."""
    query = select(Server.host).where(
        Server.id.in_(server_ids), Server.project_id == project_id, Server.host.is_not(None)
    )
    return frozenset(str(host) for host in db.scalars(query))


def groups_of(db: Session, server_ids: list[str]) -> dict[str, str]:
    """Group id by server id, for the servers that are in one (server views from 2.71 on)."""
    query = select(ServerGroupMember.server_id, ServerGroupMember.group_id).where(
        ServerGroupMember.server_id.in_(server_ids)
    )
    return {row.server_id: row.group_id for row in db.execute(query)}
