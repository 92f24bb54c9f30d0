"""Locking a user after too many wrong passwords in a row. A locked user is told nothing but what a wrong password is told."""

from datetime import UTC, datetime

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from pileus.identity.passwords.models import FailedLogins
from pileus.identity.settings import IdentitySettings
from pileus.identity.tokens.payload import now_ms
from pileus.identity.users.models import User
from pileus.kernel.cloud import Cloud


def admit(cloud: Cloud, db: Session, user_id: str, *, good: bool) -> bool:
    """May a user who gave a `good` or wrong password enter?

    What is good leaves the count as it is: `forgive` clears it once all of the login was good, so that a known password does not
    help to guess a passcode.

    Counts in a transaction of its own, since the request that refuses is rolled back; two refusals at once both count. Those that
    change nothing (`user_id` "": an unknown user, or a locked one) count too, in one row for all, so that they take the same time.
    """
    settings = cloud.settings(IdentitySettings)
    if not settings.lockout_attempts:
        return good
    options = db.scalar(select(User.options).where(User.id == user_id))
    failed = db.get(FailedLogins, user_id)
    if options is None or options.get("ignore_lockout_failure_attempts"):
        user_id, failed = "", None
    over = failed is not None and now_ms() >= _until(settings, failed)
    if user_id and failed is not None and failed.count >= settings.lockout_attempts and not over:
        _count(cloud, "", again=True)
        return False
    if not good:
        _count(cloud, user_id, again=over)
    return good


def forgive(cloud: Cloud, db: Session, user_id: str) -> None:
    """The user has logged in."""
    if cloud.settings(IdentitySettings).lockout_attempts and db.get(FailedLogins, user_id) is not None:
        cloud.db.transact(lambda own: unlock(own, user_id))


def locked_until(cloud: Cloud, db: Session, user: User) -> datetime | None:
    """None: the user is not locked now."""
    settings = cloud.settings(IdentitySettings)
    failed = db.get(FailedLogins, user.id) if settings.lockout_attempts else None
    if failed is None or failed.count < settings.lockout_attempts or now_ms() >= _until(settings, failed):
        return None
    if user.options.get("ignore_lockout_failure_attempts"):
        return None
    return datetime.fromtimestamp(_until(settings, failed) / 1000, UTC).replace(tzinfo=None)


def _until(settings: IdentitySettings, failed: FailedLogins) -> int:
    return failed.last + settings.lockout_seconds * 1000


def _count(cloud: Cloud, user_id: str, *, again: bool) -> None:
    def count(db: Session) -> None:
        row = db.get(FailedLogins, user_id, with_for_update=True)
        if row is None:
            db.add(FailedLogins(user_id=user_id, count=1, last=now_ms()))
        else:
            row.count = 1 if again else row.count + 1
            row.last = now_ms()

    try:
        cloud.db.transact(count)
    except IntegrityError:  # two at once were the first
        cloud.db.transact(count)


def unlock(db: Session, user_id: str) -> None:
    """An administrator enables the user or sets a new password."""
    db.execute(delete(FailedLogins).where(FailedLogins.user_id == user_id))
