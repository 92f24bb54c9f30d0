"""Seeds: sown once a version, and again after a death in the middle."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from pileus.kernel import seeds
from pileus.kernel.db import Base, Database


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    database = Database(f"sqlite:///{tmp_path / 'seeds.sqlite'}")
    Base.metadata.create_all(database.engine, tables=[Base.metadata.tables["seeds"]])
    yield database
    database.close()


def test_each_version_of_each_service_once(db: Database) -> None:
    sown: list[str] = []
    for service, version in (("toys", 1), ("toys", 1), ("kites", 1), ("toys", 2), ("toys", 1), ("toys", 2)):
        seeds.once(db, service, version, partial(sown.append, f"{service}-{version}"))
    assert sown == ["toys-1", "kites-1", "toys-2"]


def test_a_death_before_the_end_sows_again(db: Database) -> None:
    sown: list[int] = []

    def dies() -> None:
        sown.append(0)
        raise RuntimeError("killed")

    with pytest.raises(RuntimeError):
        seeds.once(db, "toys", 1, dies)
    seeds.once(db, "toys", 1, lambda: sown.append(1))
    seeds.once(db, "toys", 1, lambda: sown.append(2))
    assert sown == [0, 1]


def test_a_sower_may_write_to_the_same_database(db: Database) -> None:
    """No transaction is held open around it: on SQLite that would be a wait for itself."""

    def sow() -> None:
        with db.writing() as session:
            session.add(seeds.Seed(service="made by the sower", version=1))

    seeds.once(db, "toys", 1, sow)
    with db.reading() as session:
        assert session.get(seeds.Seed, "made by the sower") is not None
