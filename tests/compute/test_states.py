"""The pure status function and the SQL conditions say the same, for every combination."""

import itertools
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from pileus.compute.guests.models import Guest
from pileus.compute.hosts.models import Host
from pileus.compute.servers import states
from pileus.compute.servers.models import Server
from pileus.kernel.db import Base, Database

STATUSES = ("ACTIVE", "BUILD", "ERROR", "PAUSED", "SHUTOFF", "REBOOT", "HARD_REBOOT", "REBUILD", "UNKNOWN")


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Session]:
    database = Database(f"sqlite:///{tmp_path / 'x.sqlite'}")
    Base.metadata.create_all(database.engine)
    with database.session(write=True) as session:
        yield session
    database.close()


def server(**columns: Any) -> Server:
    base = {
        "project_id": "p",
        "user_id": "u",
        "name": "n",
        "hostname": "n",
        "reservation_id": "r",
        "flavor_id": "1",
        "flavor": {},
    }
    return Server(**base | columns)


def test_sql_and_function_agree(db: Session) -> None:
    db.add(Host(id="h", name="h", hypervisor_type="fake", hypervisor_version=1, vcpus=1, memory_mb=1, disk_gb=1))
    db.flush()
    expected: dict[str, set[str]] = {status: set() for status in STATUSES}
    guests = [None, *itertools.product(("running", "paused", "stopped", "crashed"), (1, 2))]
    wanted = ("active", "stopped", "paused", "deleted")
    for verb, want, guest, fault, launched in itertools.product(
        states.TASKS, wanted, guests, (None, {"code": 500}), (None, datetime(2026, 1, 1))
    ):
        row = server(verb=verb, wanted=want, generation=2, fault=fault, launched_at=launched, host="h", host_id="h")
        db.add(row)
        db.flush()
        seen = Guest(server_id=row.id, host="h", state=guest[0], generation=guest[1]) if guest else None
        if seen:
            db.add(seen)
        expected[states.state(row, seen).status].add(row.id)
    db.flush()
    joined = select(Server.id).outerjoin(Guest, Guest.server_id == Server.id)
    for status in STATUSES:
        assert set(db.scalars(joined.where(states.is_status(status)))) == expected[status], status
    assert expected["ACTIVE"] and expected["HARD_REBOOT"] and not expected["UNKNOWN"]


@pytest.mark.parametrize(
    ("columns", "guest", "expected"),
    [
        ({}, None, ("BUILD", "building", "scheduling", states.NOSTATE)),
        ({"host": "h"}, None, ("BUILD", "building", "spawning", states.NOSTATE)),
        (
            {"host": "h", "launched_at": datetime(2026, 1, 1)},
            ("running", 1),
            ("ACTIVE", "active", None, states.RUNNING),
        ),
        (
            {"host": "h", "launched_at": datetime(2026, 1, 1), "generation": 2, "verb": "stop"},
            ("running", 1),
            ("ACTIVE", "active", "powering-off", 1),
        ),
        (
            {"host": "h", "launched_at": datetime(2026, 1, 1), "wanted": "deleted", "verb": "delete"},
            ("running", 1),
            ("ACTIVE", "active", "deleting", 1),
        ),
        ({"fault": {"code": 500}}, None, ("ERROR", "error", None, states.NOSTATE)),
    ],
)
def test_what_the_api_shows(columns: dict[str, Any], guest: tuple[str, int] | None, expected: tuple[Any, ...]) -> None:
    row = server(**{"wanted": "active", "verb": "create", "generation": 1} | columns)
    seen = Guest(server_id="x", host="h", state=guest[0], generation=guest[1]) if guest else None
    assert tuple(states.state(row, seen)) == expected
