"""What the rows say now about a user in a scope: one query, the truth behind every token."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import BindParameter, ColumnElement, Select, and_, bindparam, exists, or_, select, union_all
from sqlalchemy.orm import Session, aliased

from pileus.identity.assignments.models import SYSTEM, Assignment
from pileus.identity.federation.login.models import ExpiringMembership
from pileus.identity.groups.models import Membership
from pileus.identity.projects.models import Project, ProjectAncestor
from pileus.identity.tokens.models import RevokedToken
from pileus.identity.tokens.payload import ScopeKind
from pileus.identity.users.models import User
from pileus.kernel import clock


class Domain(NamedTuple):
    id: str
    name: str


class Scope(NamedTuple):
    """`domain` is the project's domain; of a domain scope it is the domain itself."""

    id: str
    name: str
    domain: Domain
    is_domain: bool


class Standing(NamedTuple):
    """A user who may log in, the scope if it is usable, and the roles assigned there (not yet expanded)."""

    user_id: str
    user_name: str
    user_domain: Domain
    token_epoch: int
    scope: Scope | None
    role_ids: tuple[str, ...]
    revoked: bool
    password_expires_at: datetime | None = None


_HOME, _PLACE, _OVER = aliased(Project), aliased(Project), aliased(Project)
_target: BindParameter[str] = bindparam("target")
_user: BindParameter[str] = bindparam("user")
_where = union_all(
    select(_target.label("id")), select(ProjectAncestor.ancestor_id).where(ProjectAncestor.project_id == _target)
)
_now: BindParameter[datetime] = bindparam("now")
_groups = select(Membership.group_id).where(Membership.user_id == _user)
_lasting = ExpiringMembership.user_id == _user, ExpiringMembership.expires_at > _now
_who = union_all(select(_user.label("id")), _groups, select(ExpiringMembership.group_id).where(*_lasting))
_mapped: BindParameter[Sequence[str]] = bindparam("groups", expanding=True)


def _query(actor: ColumnElement[bool]) -> Select[*tuple[Any, ...]]:
    columns = (
        User.name,
        User.domain_id,
        User.token_epoch,
        _HOME.name,
        _PLACE.name,
        _PLACE.domain_id,
        _PLACE.enabled,
        _PLACE.is_domain,
        _OVER.name,
        _OVER.enabled,
        Assignment.role_id,
        exists().where(RevokedToken.audit_id == bindparam("audit")).label("revoked"),
        User.password_expires_at,
    )
    here = Assignment.target_id.in_(_where), Assignment.inherited == (Assignment.target_id != _target)
    return (
        select(*columns)
        .select_from(User)
        .join(_HOME, _HOME.id == User.domain_id)
        .outerjoin(_PLACE, _PLACE.id == _target)
        .outerjoin(_OVER, _OVER.id == _PLACE.domain_id)
        .outerjoin(Assignment, and_(actor, *here))
        .where(User.id == _user, User.enabled, _HOME.enabled)
    )


_QUERY = _query(Assignment.actor_id.in_(_who))
_FEDERATED = _query(or_(Assignment.actor_id.in_(_who), Assignment.actor_id.in_(_mapped)))


def look_up(
    db: Session, user_id: str, kind: ScopeKind, scope_id: str, audit_id: str = "", groups: Sequence[str] = ()
) -> Standing | None:
    """None when the user is gone or disabled (or its domain is), or when the scope is not there, disabled or of another kind.

    `groups`: those that a federated login put the user into.
    """
    target = {"unscoped": "", "system": SYSTEM}.get(kind, scope_id)
    values: dict[str, object] = {"user": user_id, "target": target, "audit": audit_id, "now": clock.now()}
    db.flush()
    line = db.connection()  # plain rows: half of what the session's own way would cost
    rows = line.execute(_FEDERATED, values | {"groups": groups}).all() if groups else line.execute(_QUERY, values).all()
    if not rows:
        return None
    (
        user_name,
        home_id,
        epoch,
        home_name,
        name,
        domain_id,
        enabled,
        is_domain,
        domain_name,
        domain_enabled,
        _,
        revoked,
        password_expires_at,
    ) = rows[0]
    scope = None
    if kind in ("project", "domain"):
        if not enabled or is_domain != (kind == "domain") or not (is_domain or domain_enabled):
            return None
        domain = Domain(scope_id, name) if is_domain else Domain(domain_id, domain_name)
        scope = Scope(scope_id, name, domain, is_domain)
    roles = tuple(dict.fromkeys(row[10] for row in rows if row[10] is not None))
    home = Domain(home_id, home_name)
    return Standing(user_id, user_name, home, epoch, scope, roles, bool(revoked), password_expires_at)
