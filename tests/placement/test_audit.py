"""What must not be is found: allocations without consumers, more given than there is."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import delete, update

from pileus.kernel.db import Database
from pileus.placement import audit, internal
from pileus.placement.allocations.models import Allocation
from pileus.placement.internal import Offer
from pileus.placement.providers.models import Inventory
from tests.cloud import cloud_of
from tests.placement.conftest import PLACEMENT


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """With a host n1 of four processors, two of which the consumer c1 has."""
    with cloud_of(tmp_path, PLACEMENT) as cloud:
        with cloud.db.writing() as db:
            internal.sync_provider(db, "n1", "n1", {"VCPU": Offer(4)}, frozenset())
            internal.claim(db, internal.supplies(db)["n1"], "c1", "p1", "u1", {"VCPU": 2})
        yield cloud.db
        with cloud.db.writing() as db:
            internal.release(db, "c1")


def test_nothing_is_found(database: Database) -> None:
    with database.reading() as db:
        assert [*audit.orphans(db, {"c1"}), *audit.unowned(db), *audit.overfull(db)] == []
        assert audit.holders(db) == {"c1"}


def test_a_consumer_that_is_no_server(database: Database) -> None:
    with database.reading() as db:
        assert audit.orphans(db, {"c2"}) == ["c1"]


def test_a_consumer_without_an_allocation(database: Database) -> None:
    with database.writing() as db:
        db.execute(delete(Allocation))
        assert audit.unowned(db) == ["consumer c1 without an allocation"]


def test_an_allocation_without_its_consumer(database: Database) -> None:
    other = sqlite3.connect(database.url.removeprefix("sqlite:///"))  # keeps no foreign keys, unless it is told to
    with other:
        other.execute("DELETE FROM consumers")
    other.close()
    with database.reading() as db:
        assert audit.unowned(db) == ["allocation of c1, which is no consumer"]


@pytest.mark.parametrize(("total", "said"), [(2, []), (1, ["n1 gave 2 VCPU and has 1"])])
def test_more_given_than_there_is(database: Database, total: int, said: list[str]) -> None:
    with database.writing() as db:
        db.execute(update(Inventory).values(total=total))
        assert audit.overfull(db) == said


def test_given_of_what_is_not_offered(database: Database) -> None:
    with database.writing() as db:
        db.execute(delete(Inventory))
        assert audit.overfull(db) == ["n1 gave 2 VCPU and has 0"]
