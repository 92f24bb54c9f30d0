"""The groups that a login puts its user into."""

import logging
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import and_, delete, or_, select
from sqlalchemy.orm import Session

from pileus.identity.federation.login import users
from pileus.identity.federation.login.models import ExpiringMembership
from pileus.identity.federation.mappings.engine import DomainName, Mapped
from pileus.identity.groups.models import Group
from pileus.identity.tokens.login import refused
from pileus.kernel import clock

log = logging.getLogger("pileus.identity.logins")
MOST = 200  # in one token, which carries them


def ids(db: Session, mapped: Mapped) -> tuple[str, ...]:
    """Of groups that exist. A name that nothing has is passed over, an id is an error of the mapping. Raises Unauthorized."""
    found: set[str] = set()
    if mapped.group_ids:
        found.update(db.scalars(select(Group.id).where(Group.id.in_(mapped.group_ids))))
    if lost := [identifier for identifier in mapped.group_ids if identifier not in found]:
        raise refused(f"the mapping names groups that are not there: {', '.join(lost)}")
    homes: dict[DomainName, str] = {}
    for domain in {domain for _, domain in mapped.group_names}:
        homes[domain] = users.domain_id(db, domain)
    wanted = {(name, homes[domain]) for name, domain in mapped.group_names}
    if wanted:
        named = or_(*(and_(Group.name == name, Group.domain_id == home) for name, home in wanted))
        rows = db.execute(select(Group.id, Group.name, Group.domain_id).where(named)).all()
        found |= {row.id for row in rows}
        if unknown := wanted - {(row.name, row.domain_id) for row in rows}:
            log.info("groups that are not there are passed over: %s", sorted(unknown))
    if len(found) > MOST:
        raise refused(f"the mapping gives {len(found)} groups; a token carries {MOST} at most")
    return tuple(sorted(found))


def remember(db: Session, user_id: str, idp_id: str, group_ids: Sequence[str], until: datetime | None) -> None:
    """What the provider says now replaces what it said before. `until` None: nothing outlives the login."""
    mine = ExpiringMembership.user_id == user_id
    db.execute(delete(ExpiringMembership).where(mine, ExpiringMembership.identity_provider_id == idp_id))
    if until is None:
        return
    db.execute(delete(ExpiringMembership).where(mine, ExpiringMembership.expires_at <= clock.now()))
    for group_id in group_ids:
        db.merge(ExpiringMembership(user_id=user_id, group_id=group_id, identity_provider_id=idp_id, expires_at=until))
