"""Passwords of users who are in a directory."""

from dataclasses import dataclass
from typing import Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from pileus.identity.directories import sync
from pileus.identity.directories.base import Directory
from pileus.identity.directories.models import IdMapping
from pileus.identity.directories.registry import Directories
from pileus.identity.projects import queries as projects
from pileus.identity.tokens.login import refused
from pileus.identity.tokens.schemas import UserRef
from pileus.identity.users.models import User
from pileus.kernel.cloud import Cloud
from pileus.kernel.http.call import Call


@dataclass(frozen=True)
class Who:
    """A user who is not the tables' to prove: `value` is the local id or the name, by `key`."""

    directory: Directory
    domain_id: str
    key: Literal["id", "name"]
    value: str


def prove(call: Call, ref: UserRef, password: str) -> str | None:
    """The user's id; None when it is the tables that know users of that domain. Raises Unauthorized, Unavailable.

    Ends the transaction, so that nothing waits in the database while another server answers.
    """
    who = _elsewhere(call, ref)
    if who is None:
        return None
    call.db.commit()
    person = who.directory.prove(who.key, who.value, password)
    if person is None:
        _notice(call.cloud, who)
        raise refused(f"the directory of domain {who.domain_id} refused {who.key} {who.value}", user_id=ref.id)
    row = sync.put_with_teams(call.cloud, who.directory, who.domain_id, person, signed_in=True)
    if row is None or not row.enabled:
        raise refused(f"{person.address} is disabled or has no usable name", user_id=row.id if row else None)
    return row.id


def _elsewhere(call: Call, ref: UserRef) -> Who | None:
    """Costs one look at memory while no domain has a directory."""
    db, directories = call.db, call.cloud.part(Directories)
    if not directories.domains(db):
        return None
    if ref.id is not None:
        mapping = db.get(IdMapping, ref.id)
        home = mapping.domain_id if mapping else db.scalar(select(User.domain_id).where(User.id == ref.id))
        directory = directories.of(db, home)
        if directory is None or home is None:
            return None
        return Who(directory, home, "id", mapping.local_id if mapping else "")
    if ref.name is None or ref.domain is None:
        return None
    domain_id = ref.domain.id or _domain_id(db, ref.domain.name)
    directory = directories.of(db, domain_id)
    return Who(directory, domain_id, "name", ref.name) if directory is not None and domain_id is not None else None


def _domain_id(db: Session, name: str | None) -> str | None:
    return projects.domain_id(db, name) if name is not None else None


def _notice(cloud: Cloud, who: Who) -> None:
    """A refused login may be that of somebody who is gone: then tokens end now, not at the next refresh."""
    query = select(IdMapping.local_id).join(User, User.id == IdMapping.public_id)
    query = query.where(IdMapping.domain_id == who.domain_id, IdMapping.gone_at.is_(None))
    column = IdMapping.local_id if who.key == "id" else User.name
    with cloud.db.reading() as db:
        known = db.scalars(query.where(column == who.value)).all()
    sync.settle_people(cloud, who.directory, who.domain_id, known)
