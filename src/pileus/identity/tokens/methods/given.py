"""What a login names: the part for a method, a user."""

from typing import TypeVar

from sqlalchemy.orm import Session

from pileus.identity.tokens.schemas import UserRef
from pileus.identity.users import queries
from pileus.kernel.errors import BadRequest

T = TypeVar("T")


def part(given: T | None, method: str) -> T:
    if given is None:
        raise BadRequest(f"auth.identity.{method} is missing although auth.identity.methods names it.")
    return given


def user_id(db: Session, ref: UserRef) -> str | None:
    """None when there is no such user. Raises BadRequest."""
    if ref.id is not None:
        return ref.id
    if ref.name is None or ref.domain is None or (ref.domain.id is None and ref.domain.name is None):
        raise BadRequest("A user is given by its id, or by its name and the id or name of its domain.")
    return queries.id_of(db, ref.name, domain_id=ref.domain.id, domain_name=ref.domain.name)
