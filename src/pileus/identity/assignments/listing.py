"""`GET /v3/role_assignments`: as given, or as they come out (`effective`). One query a page, whatever is asked for.

Memberships and inheritance are worked through by joins; implied roles here, from the graph of roles, which is small.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Integer,
    Select,
    and_,
    exists,
    func,
    literal,
    or_,
    select,
    true,
    type_coerce,
)
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from pileus.identity.assignments.models import Assignment
from pileus.identity.groups.models import Group, Membership
from pileus.identity.projects.models import Project, ProjectAncestor
from pileus.identity.roles.inference import RoleGraph
from pileus.identity.users.models import User

Key = tuple[str, str, str, int, str, str]
Names = dict[str, tuple[str, str]]  # id -> (name, id of its domain)


@dataclass(frozen=True)
class Line:
    """One assignment. `given_target`, `group_id` and `prior_role_id` say where an effective one comes from."""

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
    """The filters of a request. `below`: with the projects under `target_id`. `domain_id`: only what is given in that domain."""

    actor_id: str | None = None
    actor_kind: str | None = None
    target_id: str | None = None
    target_kind: str | None = None
    role_id: str | None = None
    inherited: bool | None = None
    below: bool = False
    domain_id: str | None = None
    effective: bool = False
    names: bool = False


@dataclass(frozen=True)
class Marker:
    """The last line of a page: the row that it came from, and its role."""

    key: Key
    role_id: str

    @classmethod
    def read(cls, text: str) -> "Marker":
        """Raises ValueError."""
        actor, target, role, inherited, user, project, last = text.split(",")
        return cls((actor, target, role, int(inherited == "1"), user, project), last)

    def __str__(self) -> str:
        actor, target, role, inherited, user, project = self.key
        return ",".join((actor, target, role, "1" if inherited else "0", user, project, self.role_id))


@dataclass(frozen=True)
class Page:
    """`names`: of what the lines mention. `following`: where the next page begins."""

    lines: Sequence[Line]
    names: Names
    following: Marker | None


_Inside, _Tree = aliased(Project), aliased(ProjectAncestor)  # of subqueries
_MEMBER = func.coalesce(Membership.user_id, "")
_BELOW = func.coalesce(ProjectAncestor.project_id, "")
_PLAIN: ColumnElement[str] = literal("")


def page(db: Session, graph: RoleGraph, wanted: Wanted, limit: int | None, after: Marker | None) -> Page:
    member, below = (_MEMBER, _BELOW) if wanted.effective else (_PLAIN, _PLAIN)
    query: Select[Any] = select(*Assignment.__table__.columns, member.label("member"), below.label("below"))
    query = _effective(query, db, graph, wanted) if wanted.effective else _stored(query, wanted)
    if wanted.domain_id is not None:
        place = func.coalesce(ProjectAncestor.project_id, Assignment.target_id)
        at = _Inside.id == (place if wanted.effective else Assignment.target_id)
        query = query.where(
            exists().where(at, or_(_Inside.id == wanted.domain_id, _Inside.domain_id == wanted.domain_id))
        )
    if wanted.names:
        query = _named(query, effective=wanted.effective)
    columns = _order(wanted, member, below)
    if after is not None:
        values = [after.key[place] for place, _ in columns]
        query = query.where(columns[0][1] >= values[0], _from([column for _, column in columns], values))
    query = query.order_by(*(column for _, column in columns))
    if limit is not None:
        query = query.limit(limit + 2)  # one that was begun on the page before, one to know that there is more
    return _cut(db.execute(query).all(), graph, wanted, limit, after)


def _order(wanted: Wanted, member: Any, below: Any) -> list[tuple[int, Any]]:
    """Columns, each with its place in a key, as the index has them that finds what is wanted: a page is then read in order."""
    inherited: ColumnElement[Any] = type_coerce(Assignment.inherited, Integer)
    columns: list[tuple[int, Any]] = [(0, Assignment.actor_id), (1, Assignment.target_id), (2, Assignment.role_id)]
    if wanted.role_id is not None and wanted.actor_id is None and wanted.target_id is None:
        columns = [columns[2], *columns[:2]]
    return [*columns, (3, inherited), *([(4, member), (5, below)] if wanted.effective else [])]


def _cut(rows: Sequence[Any], graph: RoleGraph, wanted: Wanted, limit: int | None, after: Marker | None) -> Page:
    """A row can be several lines, or none."""
    lines: list[Line] = []
    names: Names = {}
    last = None
    for row in rows:
        key = (row.actor_id, row.target_id, row.role_id, row.inherited, row.member, row.below)
        found = _lines(row, graph, wanted)
        if after is not None and key == after.key:
            roles = [line.role_id for line in found]
            found = found[roles.index(after.role_id) + 1 :] if after.role_id in roles else []
        for line in found:
            if limit is not None and len(lines) == limit:
                return Page(lines, names, last)
            lines.append(line)
            last = Marker(key, line.role_id)
            if wanted.names:
                names[line.actor_id] = (
                    row.actor_name or row.group_name or "",
                    row.actor_domain or row.group_domain or "",
                )
                names[line.target_id] = row.target_name or "", row.target_domain or ""
        last = last if found else Marker(key, "")
    return Page(lines, names, last if limit is not None and len(rows) == limit + 2 else None)


def _stored(query: Select[Any], wanted: Wanted) -> Select[Any]:
    if wanted.actor_id is not None:
        query = query.where(Assignment.actor_id == wanted.actor_id, Assignment.actor_kind == wanted.actor_kind)
    if wanted.target_id is not None:
        query = query.where(_at(Assignment.target_id, wanted))
    if wanted.role_id is not None:
        query = query.where(Assignment.role_id == wanted.role_id)
    if wanted.inherited is not None:
        query = query.where(Assignment.inherited.is_(wanted.inherited))
    return query


def _effective(query: Select[Any], db: Session, graph: RoleGraph, wanted: Wanted) -> Select[Any]:
    """Users only, on real targets only: a row for each member of a group and for each project below.

    What a user's groups and a target's ancestors are is read first: both are few, and a list of ids finds its index on every database.
    """
    member = [Assignment.actor_kind == "group", Membership.group_id == Assignment.actor_id]
    below = [Assignment.inherited, ProjectAncestor.ancestor_id == Assignment.target_id]
    if wanted.actor_id is not None:
        groups = db.scalars(select(Membership.group_id).where(Membership.user_id == wanted.actor_id))
        query = query.where(Assignment.actor_id.in_([wanted.actor_id, *groups]))
        member.append(Membership.user_id == wanted.actor_id)
    if wanted.target_id is not None:
        above = db.scalars(select(ProjectAncestor.ancestor_id).where(ProjectAncestor.project_id == wanted.target_id))
        here = _at(Assignment.target_id, wanted)
        query = query.where(or_(Assignment.target_id.in_(list(above)), here), or_(Assignment.inherited, here))
        below.append(_at(ProjectAncestor.project_id, wanted))
    if wanted.role_id is not None:
        prior = [role_id for role_id in graph.roles if wanted.role_id in graph.closure(role_id)]
        query = query.where(Assignment.role_id.in_(prior))
    if wanted.inherited is not None:
        query = query.where(Assignment.inherited.is_(wanted.inherited))
    return (
        query.outerjoin(Membership, and_(*member))
        .outerjoin(ProjectAncestor, and_(*below))
        .where(or_(Assignment.actor_kind == "user", Membership.user_id.is_not(None)))
        .where(or_(Assignment.inherited.is_(False), ProjectAncestor.project_id.is_not(None)))
    )


def _at(column: InstrumentedAttribute[str], wanted: Wanted) -> ColumnElement[bool]:
    """The target that is wanted, or one below it."""
    below = select(_Tree.project_id).where(_Tree.ancestor_id == wanted.target_id)
    return or_(column == wanted.target_id, column.in_(below)) if wanted.below else column == wanted.target_id


def _named(query: Select[Any], *, effective: bool) -> Select[Any]:
    user = func.coalesce(Membership.user_id, Assignment.actor_id) if effective else Assignment.actor_id
    target = func.coalesce(ProjectAncestor.project_id, Assignment.target_id) if effective else Assignment.target_id
    group = and_(Group.id == Assignment.actor_id, Assignment.actor_kind == "group")
    return (
        query.outerjoin(User, User.id == user)
        .outerjoin(Group, group if not effective else ~true())
        .outerjoin(Project, Project.id == target)
        .add_columns(
            User.name.label("actor_name"),
            User.domain_id.label("actor_domain"),
            Group.name.label("group_name"),
            Group.domain_id.label("group_domain"),
            Project.name.label("target_name"),
            Project.domain_id.label("target_domain"),
        )
    )


def _from(columns: Sequence[ColumnElement[Any]], key: Sequence[object]) -> ColumnElement[bool]:
    """At `key` in the order of `columns`, or later."""
    first, value = columns[0], key[0]
    if len(columns) == 1:
        return first >= value
    return or_(first > value, and_(first == value, _from(columns[1:], key[1:])))


def _lines(row: Any, graph: RoleGraph, wanted: Wanted) -> list[Line]:
    member, below = row.member, row.below
    if not wanted.effective:
        return [Line(row.actor_kind, row.actor_id, row.target_kind, row.target_id, row.role_id, row.inherited)]
    roles = [role_id for role_id in graph.closure(row.role_id) if not graph.roles.get(role_id, ("", "gone"))[1]]
    return [
        Line(
            "user",
            member or row.actor_id,
            "project" if below else row.target_kind,
            below or row.target_id,
            role_id,
            inherited=False,
            given_target=(row.target_kind, row.target_id) if below else None,
            group_id=row.actor_id if member else None,
            prior_role_id=row.role_id if role_id != row.role_id else None,
        )
        for role_id in roles
        if wanted.role_id in (None, role_id)
    ]
