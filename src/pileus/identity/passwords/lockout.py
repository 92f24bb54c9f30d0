"""Locking a user after too many wrong passwords in a row. A locked user is told nothing but what a wrong password is told."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from pileus.identity.passwords.models import FailedLogins
from pileus.identity.settings import IdentitySettings
from pileus.identity.tokens.payload import now_ms
from pileus.identity.users.models import User
from pileus.kernel.cloud import Cloud


def admit(cloud: Cloud, db: Session, user_id: str, *, good: bool) -> bool:
    """May a user who gave a `good` or wrong password enter?

    Counts in a transaction of its own, since the request that refuses is rolled back; two refusals at once both count.
    """
    settings = cloud.settings(IdentitySettings)
    if not settings.lockout_attempts:
        return good
    options = db.scalar(select(User.options).where(User.id == user_id))
    if options is None or options.get("ignore_lockout_failure_attempts"):
        return good
    failed = db.get(FailedLogins, user_id)
    over = failed is not None and now_ms() - failed.last >= settings.lockout_seconds * 1000
    if failed is not None and failed.count >= settings.lockout_attempts and not over:
        return False
    if not good or failed is not None:
        _count(cloud, user_id, good=good, again=over)
    return good


def _count(cloud: Cloud, user_id: str, *, good: bool, again: bool) -> None:
    with cloud.db.writing() as db:
        row = db.get(FailedLogins, user_id, with_for_update=True)
        if good:
            if row is not None:
                db.delete(row)
        elif row is None:
            db.add(FailedLogins(user_id=user_id, count=1, last=now_ms()))
        else:
            row.count = 1 if again else row.count + 1
            row.last = now_ms()
