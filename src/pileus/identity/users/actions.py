"""Writes of users."""

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from pileus.identity import options
from pileus.identity.assignments.models import Assignment
from pileus.identity.passwords.models import OldPassword, Password
from pileus.identity.users.models import User
from pileus.identity.users.schemas import UserChange
from pileus.kernel import clock
from pileus.kernel.errors import BadRequest, Conflict
from pileus.kernel.http.schema import UNSET


def free_name(db: Session, domain_id: str, name: str) -> None:
    if db.scalar(select(User.id).where(User.domain_id == domain_id, User.name == name)) is not None:
        raise Conflict(f"A user named {name!r} exists in domain {domain_id} already.")


def change(db: Session, user: User, given: UserChange, extra: dict[str, object]) -> None:
    """All but the password."""
    if given.domain_id is not UNSET and given.domain_id != user.domain_id:
        raise BadRequest("domain_id of a user can not be changed.")
    if given.name is not UNSET and given.name != user.name:
        free_name(db, user.domain_id, given.name)
        user.name = given.name
    if given.default_project_id is not UNSET:
        user.default_project_id = given.default_project_id
    if given.description is not UNSET:
        user.description = given.description
    if given.enabled is not UNSET:
        user.enabled = given.enabled
    user.options = options.merged(user.options, given.options)
    user.extra = {**user.extra, **extra}


def set_password(db: Session, user: User, hashed: str | None, *, keep: int) -> None:
    """None: the user can not log in by password. `keep` is how many earlier hashes stay known."""
    current = db.get(Password, user.id)
    if current is not None and keep:
        db.add(OldPassword(user_id=user.id, hash=current.hash))
        db.flush()
    kept = select(OldPassword.id).where(OldPassword.user_id == user.id).order_by(OldPassword.id.desc()).limit(keep)
    ids = list(db.scalars(kept))
    db.execute(delete(OldPassword).where(OldPassword.user_id == user.id, OldPassword.id.not_in(ids)))
    if hashed is None:
        db.execute(delete(Password).where(Password.user_id == user.id))
    else:
        db.merge(Password(user_id=user.id, hash=hashed, created_at=clock.now()))


def earlier_hashes(db: Session, user: User, count: int) -> list[str]:
    """Of the passwords before the present one, newest first."""
    query = select(OldPassword.hash).where(OldPassword.user_id == user.id).order_by(OldPassword.id.desc())
    return list(db.scalars(query.limit(count)))


def remove(db: Session, user: User) -> None:
    db.execute(delete(Assignment).where(Assignment.actor_id == user.id))
    db.delete(user)
