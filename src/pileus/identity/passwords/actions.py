"""Writes of passwords."""

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from pileus.identity.passwords import rules
from pileus.identity.passwords.hashing import Hasher
from pileus.identity.passwords.models import OldPassword, Password
from pileus.identity.users.models import User
from pileus.kernel import clock
from pileus.kernel.cloud import Cloud


def put(cloud: Cloud, db: Session, user: User, password: str | None, *, self_service: bool = False) -> None:
    """None: the user can not log in by password any more. Raises BadRequest for one that the rules do not allow."""
    if password is not None:
        rules.check_form(cloud, password)
    _remember(cloud, db, user)
    if password is None:
        db.execute(delete(Password).where(Password.user_id == user.id))
        user.password_expires_at = None
        return
    now = clock.now()
    hashed = cloud.part(Hasher).hash(password)
    db.merge(Password(user_id=user.id, hash=hashed, created_at=now, self_service=self_service))
    user.password_expires_at = rules.expiry(cloud, user.options, now, self_service=self_service)


def options_changed(cloud: Cloud, db: Session, user: User) -> None:
    """The options of a user may say that the password expires, or that it does not."""
    present = db.get(Password, user.id)
    if present is not None:
        since, chosen = present.created_at, present.self_service
        user.password_expires_at = rules.expiry(cloud, user.options, since, self_service=chosen)


def _remember(cloud: Cloud, db: Session, user: User) -> None:
    keep, present = rules.kept(cloud), db.get(Password, user.id)
    if present is not None and keep:
        db.add(OldPassword(user_id=user.id, hash=present.hash))
        db.flush()
    newest = select(OldPassword.id).where(OldPassword.user_id == user.id).order_by(OldPassword.id.desc()).limit(keep)
    ids = list(db.scalars(newest))
    db.execute(delete(OldPassword).where(OldPassword.user_id == user.id, OldPassword.id.not_in(ids)))
