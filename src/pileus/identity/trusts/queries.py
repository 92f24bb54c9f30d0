"""Reading trusts."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from pileus.identity.roles.models import Role
from pileus.identity.trusts.models import Trust, TrustRole


def chain(db: Session, trust_id: str) -> list[Trust]:
    """The trust, the one that it was made with, and so on to the first. Empty when there is no such trust."""
    found: list[Trust] = []
    following: str | None = trust_id
    while following is not None:
        row = db.get(Trust, following)
        if row is None:
            return []
        found.append(row)
        following = row.redelegated_trust_id
    return found


def ends(trusts: Sequence[Trust]) -> datetime | None:
    """When a chain ends: with the first of its trusts that does."""
    return min((row.expires_at for row in trusts if row.expires_at is not None), default=None)


def role_ids(db: Session, trust_id: str) -> list[str]:
    """As delegated, whether the roles still exist or not."""
    return list(db.scalars(select(TrustRole.role_id).where(TrustRole.trust_id == trust_id)))


def roles(db: Session, trust_id: str) -> list[Role]:
    query = select(Role).join(TrustRole, TrustRole.role_id == Role.id).where(TrustRole.trust_id == trust_id)
    return list(db.scalars(query.order_by(Role.name)))
