"""The chore that keeps tokens true: what a directory now says of everyone who has logged in, and of the groups that they are in."""

import logging

from sqlalchemy import select
from sqlalchemy.orm import Session

from pileus.identity.directories import mirror, sync
from pileus.identity.directories.base import Directory, Person, Team
from pileus.identity.directories.models import Entity, IdMapping
from pileus.identity.directories.registry import Directories
from pileus.kernel.cloud import Cloud
from pileus.kernel.errors import Unavailable

log = logging.getLogger(__name__)
SECONDS = 30  # between two looks: how long a token can outlive its user's entry


def refresh(cloud: Cloud) -> None:
    directories = cloud.part(Directories)
    with cloud.db.reading() as db:
        domains = directories.domains(db)
    for domain_id in domains:
        try:
            with cloud.db.reading() as db:
                directory = directories.of(db, domain_id)
            if directory is not None:
                _refresh(cloud, directory, domain_id)
        except Unavailable as error:
            log.warning("not refreshed: %s", error.message)


def _refresh(cloud: Cloud, directory: Directory, domain_id: str) -> None:
    with cloud.db.reading() as db:
        users = _watched(db, domain_id, "user")
        groups = _watched(db, domain_id, "group")
    people = sync.settle_people(cloud, directory, domain_id, users)
    teams = sync.settle_teams(cloud, directory, domain_id, groups)
    sync.write(cloud, lambda db: _put_memberships(db, directory, domain_id, people, teams))


def _put_memberships(
    db: Session, directory: Directory, domain_id: str, people: list[Person], teams: list[Team]
) -> None:
    """Between those who are mirrored. Others in a group are written when they log in or somebody looks at the group."""
    ids = {team.local_id: mirror.public_id(domain_id, "group", team.local_id) for team in teams}
    for person in people:
        inside = [ids[team.local_id] for team in teams if directory.is_in(person, team)]
        mirror.put_teams_of(db, mirror.public_id(domain_id, "user", person.local_id), inside)


def _watched(db: Session, domain_id: str, entity: Entity) -> list[str]:
    query = select(IdMapping.local_id).where(IdMapping.domain_id == domain_id, IdMapping.entity == entity)
    return list(db.scalars(query.where(IdMapping.signed_in if entity == "user" else IdMapping.gone_at.is_(None))))
