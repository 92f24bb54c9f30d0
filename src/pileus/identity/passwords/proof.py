"""Whether a password proves its user, and if not, why: for the operator."""

from typing import Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from pileus.identity.passwords import lockout
from pileus.identity.passwords.hashing import Hasher
from pileus.identity.passwords.models import Password
from pileus.identity.tokens.login import expired
from pileus.identity.users.models import User
from pileus.kernel import clock
from pileus.kernel.cloud import Cloud

Fault = Literal["unknown_user", "no_password", "wrong_password", "locked"]


def check(cloud: Cloud, db: Session, user_id: str | None, password: str) -> Fault | None:
    """None: it is the user's password. Whatever the answer, it took one verification of a hash and the same statements."""
    query = select(User.id, Password.hash).outerjoin(Password, Password.user_id == User.id)
    row = db.execute(query.where(User.id == (user_id or ""))).one_or_none()
    stored = row.hash if row is not None else None
    good = cloud.part(Hasher).verify(stored, password)
    admitted = lockout.admit(cloud, db, row.id if row is not None else "", good=good)
    if row is None:
        return "unknown_user"
    if stored is None:
        return "no_password"
    if not good:
        return "wrong_password"
    return None if admitted else "locked"


def check_expiry(db: Session, user_id: str) -> None:
    """Raises Refused for users who have shown that they know their password: they are told to change it."""
    ends = db.scalar(select(User.password_expires_at).where(User.id == user_id))
    if ends is not None and ends <= clock.now():
        raise expired(user_id)
