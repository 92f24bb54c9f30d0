"""Scheduler hints of a create request: the group to join, and servers to be near or away from."""

from typing import NamedTuple

from sqlalchemy.orm import Session

from pileus.compute.scheduler.filters import hints as checks
from pileus.compute.scheduler.request import Request
from pileus.compute.server_groups import membership
from pileus.compute.server_groups.models import ServerGroup
from pileus.compute.servers.schemas import SchedulerHints
from pileus.kernel.errors import BadRequest, OverQuota
from pileus.kernel.http.schema import Unset


class Hints(NamedTuple):
    group: ServerGroup | None = None
    same_hosts: frozenset[str] | None = None
    different_hosts: frozenset[str] = frozenset()
    near: tuple[str, str] | None = None
    query: object = None


def read(db: Session, project_id: str, asked: SchedulerHints) -> Hints:
    """Raises BadRequest for a group that the project does not have. Servers of other projects count for nothing."""
    group = None
    if not isinstance(asked.group, Unset):
        group = membership.find(db, project_id, asked.group)
        if group is None:
            raise BadRequest(f"Instance group {asked.group} could not be found.")
    near, far = _ids(asked.same_host), _ids(asked.different_host)
    return Hints(
        group,
        membership.hosts_of(db, project_id, near) if near else None,
        membership.hosts_of(db, project_id, far) if far else frozenset(),
        checks.parse_near(_text(asked.build_near_host_ip), _text(asked.cidr)),
        checks.parse_query(_text(asked.query)),
    )


def _text(given: str | Unset) -> str | None:
    return None if isinstance(given, Unset) else given


def _ids(given: str | list[str] | Unset) -> list[str]:
    if isinstance(given, Unset):
        return []
    return [given] if isinstance(given, str) else given


def narrow(db: Session, request: Request, hints: Hints) -> Request:
    """The request of the next server, with the group as it is now."""
    group = membership.facts(db, hints.group) if hints.group is not None else None
    return request._replace(
        group=group,
        same_hosts=hints.same_hosts,
        different_hosts=hints.different_hosts,
        near=hints.near,
        query=hints.query,
    )


def join(db: Session, hints: Hints, server_id: str, most: int) -> None:
    """Put a server, whose row is flushed, into its group. Raises OverQuota beyond `most` members (-1: any number)."""
    if hints.group is None:
        return
    if 0 <= most <= membership.size(db, hints.group):
        raise OverQuota("Quota exceeded, too many servers in group")
    membership.join(db, hints.group, server_id)
