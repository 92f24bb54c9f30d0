"""Looking a directory up for a request: its answer goes into the tables, and the request is answered from those.

A handler whose domain is in the tables is answered at once. Otherwise its transaction ends first, the directory is asked in a thread,
what it said is written in a transaction of its own, and the answer is made in a third.
"""

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from sqlalchemy import ColumnElement, Select, exists, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from pileus.identity.directories import mirror, sync
from pileus.identity.directories.base import Directory, Match, Mode
from pileus.identity.directories.models import IdMapping
from pileus.identity.directories.registry import Directories
from pileus.identity.filters import names
from pileus.identity.groups.models import Group
from pileus.identity.tokens import revocation
from pileus.identity.users.models import User
from pileus.kernel.cloud import Cloud
from pileus.kernel.errors import Forbidden, NotFound
from pileus.kernel.http.call import Call, Json, Later

T = TypeVar("T")
Answer = Callable[[], Json]
THREADS = ThreadPoolExecutor(
    8, "directories"
)  # of their own: slow directories must not take the ones that hash passwords
LOCAL = {"default_project_id", "options"}  # attributes of a mirrored user that are identity's own
MODES: tuple[Mode, ...] = ("contains", "startswith", "endswith")


def users(call: Call, domain_id: str | None, answer: Answer) -> Json | Later:
    """A list of a domain's users."""
    directories = call.cloud.part(Directories)
    directory, match, like = directories.of(call.db, domain_id), _match(call), _like(call, User.name)
    if directory is None or domain_id is None:
        return answer()
    if call.query_value("marker") and directories.was_listed(domain_id, "user", match):
        return answer()  # a further page of what the directory named a moment ago

    def look() -> None:
        people = directory.people(match)
        sync.write(call.cloud, lambda db: mirror.put_people(db, domain_id, people))
        directories.listed(domain_id, "user", match)
        missing = sync.missing(call.cloud, domain_id, User, like, {person.local_id for person in people})
        sync.settle_people(call.cloud, directory, domain_id, missing)

    return _later(call, look, answer)


def user(call: Call, target: User, answer: Answer) -> Json | Later:
    """One user."""
    found = _mapped(call, target)
    if found is None:
        return answer()
    directory, mapping = found

    def look() -> None:
        sync.settle_people(call.cloud, directory, mapping.domain_id, [mapping.local_id])
        _check_there(call.cloud, mapping)

    return _later(call, look, answer)


def groups(call: Call, domain_id: str | None, answer: Answer) -> Json | Later:
    directories = call.cloud.part(Directories)
    directory, match, like = directories.of(call.db, domain_id), _match(call), _like(call, Group.name)
    if directory is None or domain_id is None:
        return answer()
    if call.query_value("marker") and directories.was_listed(domain_id, "group", match):
        return answer()  # a further page of what the directory named a moment ago

    def look() -> None:
        teams = directory.teams(match)
        sync.write(call.cloud, lambda db: mirror.put_teams(db, domain_id, teams))
        directories.listed(domain_id, "group", match)
        missing = sync.missing(call.cloud, domain_id, Group, like, {team.local_id for team in teams})
        sync.settle_teams(call.cloud, directory, domain_id, missing)

    return _later(call, look, answer)


def group(call: Call, target: Group, answer: Answer) -> Json | Later:
    found = _mapped(call, target)
    if found is None:
        return answer()
    directory, mapping = found

    def look() -> None:
        sync.settle_teams(call.cloud, directory, mapping.domain_id, [mapping.local_id])
        _check_there(call.cloud, mapping)

    return _later(call, look, answer)


def members(call: Call, target: Group, answer: Answer) -> Json | Later:
    """Who is in a group."""
    found = _mapped(call, target)
    if found is None:
        return answer()
    directory, mapping = found

    def look() -> None:
        teams = sync.settle_teams(call.cloud, directory, mapping.domain_id, [mapping.local_id])
        _check_there(call.cloud, mapping)
        people = [person for team in teams for person in directory.members(team)]

        def put(db: Session) -> None:
            rows = mirror.put_people(db, mapping.domain_id, people)
            mirror.put_members(db, mapping.public_id, (row.id for row in rows.values()))

        sync.write(call.cloud, put)

    return _later(call, look, answer)


def groups_of(call: Call, target: User, answer: Answer) -> Json | Later:
    """The groups that a user is in."""
    found = _mapped(call, target)
    if found is None:
        return answer()
    directory, mapping = found

    def look() -> None:
        people = sync.settle_people(call.cloud, directory, mapping.domain_id, [mapping.local_id])
        _check_there(call.cloud, mapping)
        for person in people:
            sync.put_with_teams(call.cloud, directory, mapping.domain_id, person)

    return _later(call, look, answer)


def membership(call: Call, target: User, group: Group) -> None:
    """Whether a user is in a group, asked at once: for a route that runs in a thread."""
    found = _mapped(call, target)
    if found is not None and group.domain_id == target.domain_id:
        directory, mapping = found
        call.db.commit()  # nothing waits in the database while another server answers
        for person in sync.settle_people(call.cloud, directory, mapping.domain_id, [mapping.local_id]):
            sync.put_with_teams(call.cloud, directory, mapping.domain_id, person)


def check_writable(
    call: Call, domain_id: str, target: User | Group | None = None, given: Mapping[str, object] | None = None
) -> None:
    """Raises Forbidden for a new user or group of a domain in a directory, and for changes (`given`) of one that is there."""
    if domain_id not in call.cloud.part(Directories).domains(call.db):
        return
    if target is not None and (
        call.db.get(IdMapping, target.id) is None or (given is not None and set(given) <= LOCAL)
    ):
        return
    raise Forbidden(f"Users and groups of domain {domain_id} are in a directory that is only read: change them there.")


def hide_gone(call: Call, query: Select[T], key: InstrumentedAttribute[str]) -> Select[T]:
    """Without rows whose entries a directory no longer has."""
    if not call.cloud.part(Directories).domains(call.db):
        return query
    return query.where(~exists().where(IdMapping.public_id == key, IdMapping.gone_at.is_not(None)))


def config_changed(call: Call, domain_id: str) -> None:
    """A domain that has no directory any more loses the users and groups that were in it."""
    directories = call.cloud.part(Directories)
    directories.forget()
    if domain_id not in directories.domains(call.db):
        mirror.let_go(call.db, call.db.scalars(select(IdMapping).where(IdMapping.domain_id == domain_id)).all())
        revocation.look_again(call)
    call.after_commit(directories.forget)


def _later(call: Call, look: Callable[[], None], answer: Answer) -> Later:
    def run() -> Json:
        look()
        with call.transaction():
            return answer()

    async def ask() -> Json:
        return await asyncio.get_running_loop().run_in_executor(THREADS, run)

    return Later(ask)


def _mapped(call: Call, target: User | Group) -> tuple[Directory, IdMapping] | None:
    directories = call.cloud.part(Directories)
    if target.domain_id not in directories.domains(call.db):
        return None
    mapping = call.db.get(IdMapping, target.id)
    directory = directories.of(call.db, target.domain_id)
    return (directory, mapping) if mapping is not None and directory is not None else None


def _check_there(cloud: Cloud, mapping: IdMapping) -> None:
    with cloud.db.reading() as db:
        now = db.get(IdMapping, mapping.public_id)
    if now is None or now.gone_at is not None:
        raise NotFound(f"{mapping.entity.capitalize()} {mapping.public_id} could not be found.")


def _match(call: Call) -> Match | None:
    """What the request wants names to be like: its first such filter. The tables see to the others."""
    given: dict[str, list[str]] = {}
    for name, value in call.query:
        given.setdefault(name, []).append(value)
    if "name" in given:
        return Match("exact", given["name"][0]) if len(given["name"]) == 1 else None
    for mode in MODES:
        for values in (given.get(f"name__{mode}"), given.get(f"name__i{mode}")):
            if values:
                return Match(mode, values[-1])
    return None


def _like(call: Call, column: InstrumentedAttribute[str]) -> list[ColumnElement[bool]]:
    """All that the request wants names to be like, for the tables."""
    values: dict[str, list[str]] = {}
    for name, value in call.query:
        values.setdefault(name, []).append(value)
    return [make(values[name]) for name, make in names("name", column).items() if name in values]
