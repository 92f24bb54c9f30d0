"""Asking a directory and writing down what it says: never both at once."""

from collections.abc import Callable, Collection, Sequence
from typing import TypeVar

from sqlalchemy import ColumnElement, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from pileus.identity.directories import mirror
from pileus.identity.directories.base import Directory, Person, Team
from pileus.identity.directories.models import Entity, IdMapping
from pileus.identity.groups.models import Group
from pileus.identity.tokens.authenticator import TokenAuthenticator
from pileus.identity.users.models import User
from pileus.kernel.cloud import Cloud

T = TypeVar("T")


def write(cloud: Cloud, work: Callable[[Session], T]) -> T:
    """`work` in a transaction of its own; again when another process mirrored the same entry at the same moment."""

    def watched(db: Session) -> tuple[T, bool]:
        return work(db), mirror.LESSENED in db.info

    try:
        done, lessened = cloud.db.transact(watched)
    except IntegrityError:
        done, lessened = cloud.db.transact(watched)
    if lessened:
        cloud.part(TokenAuthenticator).forget()
    return done


def settle_people(cloud: Cloud, directory: Directory, domain_id: str, local_ids: Sequence[str]) -> list[Person]:
    """The truth about these: writes those that there are, and lets go of the rest."""
    people = directory.people_by_id(local_ids) if local_ids else []
    left = set(local_ids) - {person.local_id for person in people}

    def put(db: Session) -> None:
        mirror.put_people(db, domain_id, people)
        _let_go(db, domain_id, "user", left)

    if local_ids:
        write(cloud, put)
    return people


def settle_teams(cloud: Cloud, directory: Directory, domain_id: str, local_ids: Sequence[str]) -> list[Team]:
    """Of groups, without their members."""
    teams = directory.teams_by_id(local_ids) if local_ids else []
    left = set(local_ids) - {team.local_id for team in teams}

    def put(db: Session) -> None:
        mirror.put_teams(db, domain_id, teams)
        _let_go(db, domain_id, "group", left)

    if local_ids:
        write(cloud, put)
    return teams


def put_with_teams(
    cloud: Cloud, directory: Directory, domain_id: str, person: Person, *, signed_in: bool = False
) -> User | None:
    """A person and all teams that they are in. None when identity can not name them."""
    teams = directory.teams_of(person)

    def put(db: Session) -> User | None:
        row = mirror.put_people(db, domain_id, [person]).get(person.local_id)
        if row is not None:
            found = mirror.put_teams(db, domain_id, teams)
            mirror.put_teams_of(db, row.id, (team.id for team in found.values()))
            if signed_in:
                mirror.mark_signed_in(db, row.id)
        return row

    return write(cloud, put)


def missing(
    cloud: Cloud,
    domain_id: str,
    table: type[User] | type[Group],
    like: Sequence[ColumnElement[bool]],
    found: Collection[str],
) -> list[str]:
    """Local ids of the rows that a list would show although the directory did not name them."""
    query = select(IdMapping.local_id).join(table, table.id == IdMapping.public_id)
    query = query.where(IdMapping.domain_id == domain_id, IdMapping.gone_at.is_(None), *like)
    with cloud.db.reading() as db:
        return [local_id for local_id in db.scalars(query) if local_id not in found]


def _let_go(db: Session, domain_id: str, entity: Entity, local_ids: Collection[str]) -> None:
    keys = [mirror.public_id(domain_id, entity, local_id) for local_id in local_ids]
    mirror.let_go(db, mirror.mappings(db, domain_id, entity, keys))
