"""Reading trusts."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from pileus.identity.roles.models import Role
from pileus.identity.trusts.models import Trust, TrustRole


class Link(NamedTuple):
    """A trust of a chain with the roles that it gives. `whole`: all of them still exist."""

    id: str
    trustor_user_id: str
    trustee_user_id: str
    project_id: str | None
    impersonation: bool
    expires_at: datetime | None
    redelegation_count: int
    redelegated_trust_id: str | None
    role_ids: tuple[str, ...]
    whole: bool


_LINK = (
    select(
        Trust.trustor_user_id,
        Trust.trustee_user_id,
        Trust.project_id,
        Trust.impersonation,
        Trust.expires_at,
        Trust.redelegation_count,
        Trust.redelegated_trust_id,
        TrustRole.role_id,
        Role.id,
    )
    .outerjoin(TrustRole, TrustRole.trust_id == Trust.id)
    .outerjoin(Role, Role.id == TrustRole.role_id)
    .where(Trust.id == bindparam("trust"))
)


def chain(db: Session, trust_id: str) -> list[Link]:
    """The trust, the one that it was made with, and so on to the first. Empty when there is no such trust."""
    found: list[Link] = []
    following: str | None = trust_id
    while following is not None:
        rows = db.execute(_LINK, {"trust": following}).all()
        if not rows:
            return []
        trustor, trustee, project, impersonation, expires, count, above, _, _ = rows[0]
        given = [(row[7], row[8]) for row in rows if row[7] is not None]
        role_ids, whole = tuple(role_id for role_id, _ in given), all(there is not None for _, there in given)
        found.append(Link(following, trustor, trustee, project, impersonation, expires, count, above, role_ids, whole))
        following = above
    return found


def ends(trusts: Sequence[Link]) -> datetime | None:
    """When a chain ends: with the first of its trusts that does."""
    return min((row.expires_at for row in trusts if row.expires_at is not None), default=None)


def roles(db: Session, trust_id: str) -> list[Role]:
    query = select(Role).join(TrustRole, TrustRole.role_id == Role.id).where(TrustRole.trust_id == trust_id)
    return list(db.scalars(query.order_by(Role.name)))
