"""Writes of users."""

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from pileus.identity import options
from pileus.identity.assignments.models import Assignment
from pileus.identity.passwords import lockout
from pileus.identity.projects import queries as projects
from pileus.identity.users.models import User
from pileus.identity.users.schemas import UserChange
from pileus.kernel.errors import BadRequest, Conflict
from pileus.kernel.http.schema import UNSET


def free_name(db: Session, domain_id: str, name: str) -> None:
    if db.scalar(select(User.id).where(User.domain_id == domain_id, User.name == name)) is not None:
        raise Conflict(f"A user named {name!r} exists in domain {domain_id} already.")


def check_default_project(db: Session, project_id: str | None) -> None:
    """It need not exist, or be usable; but a domain is none. Raises BadRequest."""
    if project_id is not None and projects.is_domain(db, project_id):
        raise BadRequest(f"default_project_id {project_id} is a domain: name a project.")


def change(db: Session, user: User, given: UserChange, extra: dict[str, object]) -> None:
    """All but the password."""
    if given.domain_id is not UNSET and given.domain_id != user.domain_id:
        raise BadRequest("domain_id of a user can not be changed.")
    if given.name is not UNSET and given.name != user.name:
        free_name(db, user.domain_id, given.name)
        user.name = given.name
    if given.default_project_id is not UNSET:
        check_default_project(db, given.default_project_id)
        user.default_project_id = given.default_project_id
    if given.description is not UNSET:
        user.description = given.description
    if given.enabled is not UNSET:
        user.enabled = given.enabled
    user.options = options.merged(user.options, given.options)
    user.extra = {**user.extra, **extra}


def remove(db: Session, user: User) -> None:
    db.execute(delete(Assignment).where(Assignment.actor_id == user.id))
    lockout.unlock(db, user.id)
    db.delete(user)
