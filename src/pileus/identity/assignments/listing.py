"""`GET /v3/role_assignments`: as given, or as they come out (`effective`): groups, implications and inheritance worked through."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy import select
from sqlalchemy.orm import Session

from pileus.identity.assignments.models import Assignment
from pileus.identity.groups.models import Membership
from pileus.identity.projects.models import ProjectAncestor
from pileus.identity.roles import inference


@dataclass(frozen=True)
class Line:
    """One assignment. `given_*` say where an effective one comes from."""

    actor_kind: str
    actor_id: str
    target_kind: str
    target_id: str
    role_id: str
    inherited: bool
    given_target: tuple[str, str] | None = None
    group_id: str | None = None
    prior_role_id: str | None = None


@dataclass(frozen=True)
class Wanted:
    """The filters of a request. `below`: with the projects under `target_id`."""

    actor_id: str | None = None
    actor_kind: str | None = None
    target_id: str | None = None
    target_kind: str | None = None
    role_id: str | None = None
    inherited: bool | None = None
    below: bool = False


def stored(db: Session, wanted: Wanted) -> list[Line]:
    query = select(Assignment)
    if wanted.actor_id is not None:
        query = query.where(Assignment.actor_id == wanted.actor_id, Assignment.actor_kind == wanted.actor_kind)
    if wanted.target_id is not None:
        query = query.where(Assignment.target_id.in_(_places(db, wanted)))
    if wanted.role_id is not None:
        query = query.where(Assignment.role_id == wanted.role_id)
    if wanted.inherited is not None:
        query = query.where(Assignment.inherited.is_(wanted.inherited))
    return [_line(row) for row in db.scalars(query)]


def effective(db: Session, wanted: Wanted) -> list[Line]:
    """Users only, on real targets only. Reads what can matter, then expands and filters."""
    query = select(Assignment)
    if wanted.actor_id is not None:
        groups = select(Membership.group_id).where(Membership.user_id == wanted.actor_id)
        query = query.where((Assignment.actor_id == wanted.actor_id) | Assignment.actor_id.in_(groups))
    places = set(_places(db, wanted)) if wanted.target_id is not None else None
    if places is not None:
        above = select(ProjectAncestor.ancestor_id).where(ProjectAncestor.project_id.in_(places))
        query = query.where(Assignment.target_id.in_(places) | Assignment.target_id.in_(above))
    lines = [_line(row) for row in db.scalars(query)]
    lines = _to_roles(db, _to_projects(db, _to_users(db, lines)))
    return [
        line
        for line in dict.fromkeys(lines)
        if (wanted.actor_id is None or line.actor_id == wanted.actor_id)
        and (places is None or line.target_id in places)
        and (wanted.role_id is None or line.role_id == wanted.role_id)
        and (wanted.inherited is None or (line.given_target is not None) == wanted.inherited)
    ]


def _places(db: Session, wanted: Wanted) -> Sequence[str]:
    assert wanted.target_id is not None
    if not wanted.below:
        return [wanted.target_id]
    below = select(ProjectAncestor.project_id).where(ProjectAncestor.ancestor_id == wanted.target_id)
    return [wanted.target_id, *db.scalars(below)]


def _line(row: Assignment) -> Line:
    return Line(row.actor_kind, row.actor_id, row.target_kind, row.target_id, row.role_id, row.inherited)


def _to_users(db: Session, lines: Sequence[Line]) -> list[Line]:
    groups = {line.actor_id for line in lines if line.actor_kind == "group"}
    members: dict[str, list[str]] = {}
    for membership in db.scalars(select(Membership).where(Membership.group_id.in_(groups))):
        members.setdefault(membership.group_id, []).append(membership.user_id)
    out = [line for line in lines if line.actor_kind == "user"]
    for line in lines:
        if line.actor_kind == "group":
            for user_id in members.get(line.actor_id, ()):
                out.append(replace(line, actor_kind="user", actor_id=user_id, group_id=line.actor_id))
    return out


def _to_projects(db: Session, lines: Sequence[Line]) -> list[Line]:
    above = {line.target_id for line in lines if line.inherited}
    below: dict[str, list[str]] = {}
    for link in db.scalars(select(ProjectAncestor).where(ProjectAncestor.ancestor_id.in_(above))):
        below.setdefault(link.ancestor_id, []).append(link.project_id)
    out = [line for line in lines if not line.inherited]
    for line in lines:
        if line.inherited:
            source = (line.target_kind, line.target_id)
            for project_id in below.get(line.target_id, ()):
                out.append(
                    replace(line, target_kind="project", target_id=project_id, inherited=False, given_target=source)
                )
    return out


def _to_roles(db: Session, lines: Sequence[Line]) -> list[Line]:
    graph = inference.load(db)
    out = []
    for line in lines:
        for role_id in graph.closure(line.role_id):
            if not graph.roles[role_id][1]:
                prior = line.role_id if role_id != line.role_id else None
                out.append(replace(line, role_id=role_id, prior_role_id=prior))
    return out
