"""Limits of projects, and the words when one is passed."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from pileus.kernel import quotas
from pileus.kernel.db import Base, Database
from pileus.kernel.quotas import Exceeded

DEFAULTS = {"toys": 3, "kites": -1}


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    database = Database(f"sqlite:///{tmp_path / 'quotas.sqlite'}")
    Base.metadata.create_all(database.engine, tables=[Base.metadata.tables["quota_limits"]])
    yield database
    database.close()


def limits(db: Database, project: str = "p1", service: str = "toybox") -> dict[str, int]:
    with db.reading() as session:
        return quotas.limits(session, service, project, DEFAULTS)


def test_a_projects_own_limits_win_and_reset_brings_the_defaults_back(db: Database) -> None:
    assert limits(db) == DEFAULTS
    with db.writing() as session:
        quotas.set_limits(session, "toybox", "p1", {"toys": 5, "gone": 7})
    with db.writing() as session:
        quotas.set_limits(session, "toybox", "p1", {"toys": 6})
    assert limits(db) == {"toys": 6, "kites": -1}  # nothing that the service does not know (any more)
    assert limits(db, "p2") == limits(db, service="other") == DEFAULTS
    with db.writing() as session:
        quotas.set_limits(session, "toybox", "p2", {"toys": 0})
        quotas.reset(session, "toybox", "p1")
    assert limits(db) == DEFAULTS
    assert limits(db, "p2")["toys"] == 0


@pytest.mark.parametrize(
    ("used", "asked"),
    [
        ({"toys": 2}, {"toys": 1}),
        ({}, {"toys": 3}),
        ({"kites": 10**9}, {"kites": 1}),  # unlimited
        ({"toys": 9}, {"toys": 0}),  # over the limit since it was lowered: asking for none is no growth
        ({"toys": 9}, {"toys": -1}),
        ({}, {"unknown": 10}),
    ],
)
def test_what_fits(used: dict[str, int], asked: dict[str, int]) -> None:
    quotas.check(DEFAULTS, used, asked)


def test_what_does_not_fit_is_told_with_its_numbers() -> None:
    with pytest.raises(Exceeded) as caught:
        quotas.check({"toys": 3, "balls": 0, "kites": -1}, {"toys": 3}, {"toys": 1, "balls": 2, "kites": 5})
    assert caught.value.short == {"toys": (1, 3, 3), "balls": (2, 0, 0)}
    words = "Quota exceeded for toys: requested 1, used 3, limit 3; balls: requested 2, used 0, limit 0"
    assert str(caught.value) == words
