"""Limits of projects, where they come from, and the words when one is passed."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from pileus.kernel import quotas
from pileus.kernel.db import Base, Database
from pileus.kernel.quotas import DEFAULT_CLASS, STORED, Exceeded, Projects, Quotas
from tests.shared_limits import Shared

DEFAULTS = {"toys": 3, "kites": -1}
TOYBOX = Quotas("toybox")


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    database = Database(f"sqlite:///{tmp_path / 'quotas.sqlite'}")
    Base.metadata.create_all(database.engine, tables=[Base.metadata.tables["quota_limits"]])
    yield database
    database.close()


def limits(db: Database, project: str = "p1", service: str = "toybox") -> dict[str, int]:
    with db.reading() as session:
        return quotas.limits(session, Quotas(service), project, DEFAULTS)


def test_a_projects_own_limits_win_and_reset_brings_the_defaults_back(db: Database) -> None:
    assert limits(db) == DEFAULTS
    with db.writing() as session:
        STORED.set(session, TOYBOX, "p1", {"toys": 5, "gone": 7})
    with db.writing() as session:
        STORED.set(session, TOYBOX, "p1", {"toys": 6})
    assert limits(db) == {"toys": 6, "kites": -1}  # nothing that the service does not know (any more)
    assert limits(db, "p2") == limits(db, service="other") == DEFAULTS
    with db.writing() as session:
        STORED.set(session, TOYBOX, "p2", {"toys": 0})
        assert STORED.projects(session, TOYBOX) == ["p1", "p2"]
        STORED.reset(session, TOYBOX, "p1")
    assert limits(db) == DEFAULTS
    assert limits(db, "p2")["toys"] == 0


@pytest.mark.parametrize("own_first", [True, False])
def test_the_default_class_is_under_all_projects(db: Database, own_first: bool) -> None:
    rows = [("p1", {"toys": 9}), (DEFAULT_CLASS, {"toys": 1, "kites": 2})]
    with db.writing() as session:
        for project, values in rows if own_first else reversed(rows):
            STORED.set(session, TOYBOX, project, values)
            session.flush()
        assert STORED.projects(session, TOYBOX) == ["p1"]
    assert limits(db) == {"toys": 9, "kites": 2}
    assert limits(db, "p2") == limits(db, DEFAULT_CLASS) == {"toys": 1, "kites": 2}


def test_another_source_of_limits_is_found_from_any_session(db: Database) -> None:
    quotas.use(db, Shared(toys=4, kites=-1))
    assert limits(db) == DEFAULTS
    held = {"p1": 1, "p2": 3}
    asked_of: list[Projects] = []

    def usage(projects: Projects) -> dict[str, int]:
        assert isinstance(projects, tuple)
        asked_of.append(projects)
        return {"toys": sum(held[project] for project in projects)}

    with db.reading() as session:
        bounds = quotas.bounds(session, TOYBOX, "p1", DEFAULTS)
    with pytest.raises(Exceeded) as caught:
        quotas.enforce(bounds, usage, {"toys": 1})
    assert caught.value.short == {"toys": (1, 4, 4)}
    assert asked_of == [("p1",), ("p1", "p2")]
    quotas.enforce(bounds, usage, {"kites": 100})
    assert len(asked_of) == 2  # nothing is counted that is not limited
    held["p2"] = 2
    quotas.enforce(bounds, usage, {"toys": 1})


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
