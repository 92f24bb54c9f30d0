"""Rows of `users`, `groups` and `memberships` that repeat what a directory said. Only what differs is written.

Rows of entries that are gone stay, disabled and hidden, with the roles that they were given: entries that come back (and those that
a wrong filter had hidden) are who they were. `purge` removes them for good.
"""

import hashlib
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TypeVar

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from pileus.identity.assignments.models import Assignment
from pileus.identity.directories.base import Person, Team
from pileus.identity.directories.models import Entity, IdMapping
from pileus.identity.groups.models import Group, Membership
from pileus.identity.users.models import User
from pileus.kernel import clock

log = logging.getLogger(__name__)
T = TypeVar("T")
Entry = TypeVar("Entry", Person, Team)
AT_ONCE = 500  # ids that one statement names
LESSENED = "directory-lessened"  # in `Session.info`: tokens may be worth less than before
LONGEST_ID, LONGEST_NAME = 255, {"user": 255, "group": 64}


def public_id(domain_id: str, entity: Entity, local_id: str) -> str:
    """64 hex digits, the same for good. Lengths are part of it, so that no two triples can be written alike."""
    parts = (domain_id, entity, local_id)
    spelled = b"".join(b"%d:%s" % (len(raw), raw) for raw in (part.encode() for part in parts))
    return hashlib.sha256(spelled).hexdigest()


def put_people(db: Session, domain_id: str, people: Iterable[Person]) -> dict[str, User]:
    """Makes rows say what the directory says. By local id; without those that identity can not name."""
    wanted = _usable(db, domain_id, "user", people)
    users = _rows(db, User, list(wanted))
    _rename(db, domain_id, User, users, {key: person.name for key, person in wanted.items()})
    for key, person in wanted.items():
        user = users[key]
        if user.enabled and not person.enabled:
            _end(db, user)
        facts: dict[str, object] = {
            "enabled": person.enabled,
            "description": person.description,
            "extra": dict(person.extra),
        }
        if person.default_project_id is not None:
            facts["default_project_id"] = person.default_project_id
        _say(user, facts)
    db.flush()
    return {person.local_id: users[key] for key, person in wanted.items()}


def put_teams(db: Session, domain_id: str, teams: Iterable[Team]) -> dict[str, Group]:
    wanted = _usable(db, domain_id, "group", teams)
    groups = _rows(db, Group, list(wanted))
    _rename(db, domain_id, Group, groups, {key: team.name for key, team in wanted.items()})
    for key, team in wanted.items():
        _say(groups[key], {"description": team.description, "extra": dict(team.extra)})
    db.flush()
    return {team.local_id: groups[key] for key, team in wanted.items()}


def put_members(db: Session, group_id: str, user_ids: Iterable[str]) -> None:
    """All that are in the group."""
    has = set(db.scalars(select(Membership.user_id).where(Membership.group_id == group_id)))
    wanted = set(user_ids)
    for chunk in _chunks(sorted(has - wanted)):
        db.info[LESSENED] = True
        db.execute(delete(Membership).where(Membership.group_id == group_id, Membership.user_id.in_(chunk)))
    db.add_all(Membership(user_id=user_id, group_id=group_id) for user_id in sorted(wanted - has))
    db.flush()


def put_teams_of(db: Session, user_id: str, group_ids: Iterable[str]) -> None:
    """All mirrored groups that the user is in."""
    has = set(
        db.scalars(
            select(Membership.group_id)
            .join(IdMapping, IdMapping.public_id == Membership.group_id)
            .where(Membership.user_id == user_id)
        )
    )
    wanted = set(group_ids)
    if has - wanted:
        db.info[LESSENED] = True
        db.execute(delete(Membership).where(Membership.user_id == user_id, Membership.group_id.in_(has - wanted)))
    db.add_all(Membership(user_id=user_id, group_id=group_id) for group_id in sorted(wanted - has))
    db.flush()


def mark_signed_in(db: Session, user_id: str) -> None:
    mapping = db.get_one(IdMapping, user_id)
    if not mapping.signed_in:
        mapping.signed_in = True


def let_go(db: Session, mappings: Iterable[IdMapping]) -> None:
    """The directory does not have these any more: users are disabled, their tokens end; groups have nobody in them."""
    present = [mapping for mapping in mappings if mapping.gone_at is None]
    for mapping in present:
        mapping.gone_at = clock.now()
    ids = [mapping.public_id for mapping in present]
    for user in _present(db, User, ids).values():
        if user.enabled:
            _end(db, user)
        user.enabled = False
    for chunk in _chunks(ids):
        db.info[LESSENED] = True
        db.execute(delete(Membership).where(Membership.user_id.in_(chunk) | Membership.group_id.in_(chunk)))
    db.flush()


def purge(db: Session, *, domain_id: str | None = None, entity: Entity | None = None, all_of_them: bool = False) -> int:
    """Removes mirrored rows and the roles given to them, for good: those that are gone, or all. How many there were.

    Users who are still in the directory come back with the same id, but without roles.
    """
    query = select(IdMapping)
    for column, value in ((IdMapping.domain_id, domain_id), (IdMapping.entity, entity)):
        query = query.where(column == value) if value is not None else query
    if not all_of_them:
        query = query.where(IdMapping.gone_at.is_not(None))
    mappings = db.scalars(query).all()
    for chunk in _chunks([mapping.public_id for mapping in mappings]):
        db.execute(delete(Assignment).where(Assignment.actor_id.in_(chunk)))
        for table in (User, Group):
            db.execute(delete(table).where(table.id.in_(chunk)))
        db.execute(delete(IdMapping).where(IdMapping.public_id.in_(chunk)))
    return len(mappings)


def mappings(db: Session, domain_id: str, entity: Entity, public_ids: Iterable[str]) -> list[IdMapping]:
    ids = list(public_ids)
    found: list[IdMapping] = []
    for chunk in _chunks(ids):
        query = select(IdMapping).where(IdMapping.public_id.in_(chunk))
        found += db.scalars(query.where(IdMapping.domain_id == domain_id, IdMapping.entity == entity))
    return found


def _end(db: Session, user: User) -> None:
    """All tokens so far."""
    user.token_epoch += 1
    db.info[LESSENED] = True


def _usable(db: Session, domain_id: str, entity: Entity, entries: Iterable[Entry]) -> dict[str, Entry]:
    """By public id: those with an id and a name that fit, of several with one name the first. Their mappings are there then."""
    usable: dict[str, Entry] = {}
    names: dict[str, str] = {}
    for entry in sorted(entries, key=lambda entry: entry.local_id):
        key = public_id(domain_id, entity, entry.local_id)
        fits = len(entry.local_id) <= LONGEST_ID and len(entry.name) <= LONGEST_NAME[entity] and entry.name.strip()
        if not fits or names.setdefault(entry.name, key) != key:
            log.warning("%s %r of domain %s is left out: its name is taken or too long", entity, entry.name, domain_id)
            continue
        usable[key] = entry
    kind = User if entity == "user" else Group
    for chunk in _chunks([entry.name for entry in usable.values()]):
        query = select(kind.id, kind.name).where(kind.domain_id == domain_id, kind.name.in_(chunk))
        mirrored = select(IdMapping.public_id).where(IdMapping.domain_id == domain_id)
        for row in db.execute(query.where(kind.id.not_in(mirrored))):
            log.warning("%s %r of domain %s is left out: a local one has that name", entity, row.name, domain_id)
            usable.pop(names[row.name], None)
    known = {mapping.public_id: mapping for mapping in mappings(db, domain_id, entity, usable)}
    for key, entry in usable.items():
        if key not in known:
            db.add(IdMapping(public_id=key, domain_id=domain_id, entity=entity, local_id=entry.local_id))
        elif known[key].gone_at is not None:
            known[key].gone_at = None
    db.flush()
    return usable


Row = TypeVar("Row", User, Group)


def _present(db: Session, table: type[Row], ids: Sequence[str]) -> dict[str, Row]:
    return {row.id: row for chunk in _chunks(ids) for row in db.scalars(select(table).where(table.id.in_(chunk)))}


def _rows(db: Session, table: type[Row], ids: Sequence[str]) -> dict[str, Row]:
    """Those that there are, and new ones for the rest."""
    found = _present(db, table, ids)
    return {key: found[key] if key in found else table(id=key) for key in ids}


def _rename(db: Session, domain_id: str, table: type[Row], rows: Mapping[str, Row], names: Mapping[str, str]) -> None:
    """Names move between entries; here they are unique at every moment. A row that must give its name up is called by its id."""
    moving = {key: name for key, name in names.items() if rows[key].name != name}
    for chunk in _chunks(list(moving.values())):
        for holder in db.scalars(select(table).where(table.domain_id == domain_id, table.name.in_(chunk))):
            holder.name = holder.id[: LONGEST_NAME["group"]]
    db.flush()
    for key, name in moving.items():
        rows[key].name = name
        if rows[key].domain_id is None:
            rows[key].domain_id = domain_id
            db.add(rows[key])
    db.flush()


def _say(row: User | Group, facts: Mapping[str, object]) -> None:
    for name, value in facts.items():
        if getattr(row, name) != value:
            setattr(row, name, value)


def _chunks(items: Sequence[T]) -> Iterator[Sequence[T]]:
    return (items[start : start + AT_ONCE] for start in range(0, len(items), AT_ONCE))
