"""Which refusals of the database are worth another try."""

import sqlite3
from pathlib import Path

import pymysql
import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from pileus.kernel.db import ATTEMPTS, Database, is_passing


@pytest.mark.parametrize(
    ("cause", "passing"),
    [
        (sqlite3.OperationalError("database is locked"), True),
        (sqlite3.OperationalError("no such table: toys"), False),
        (sqlite3.OperationalError("database or disk is full"), False),
        (pymysql.err.OperationalError(1213, "Deadlock found when trying to get lock"), True),
        (pymysql.err.OperationalError(1054, "Unknown column"), False),
    ],
)
def test_what_passes(cause: Exception, passing: bool) -> None:
    assert is_passing(OperationalError("SELECT", {}, cause)) is passing


def test_a_transaction_is_tried_again_from_the_start(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'x.sqlite'}")
    tries: list[object] = []

    def work(session: object) -> str:
        tries.append(session)
        if len(tries) < 3:
            raise OperationalError("UPDATE", {}, sqlite3.OperationalError("database is locked"))
        return "done"

    assert (database.transact(work), len(tries)) == ("done", 3)
    tries.clear()

    def hopeless(session: Session) -> None:
        tries.append(session)
        session.execute(text("SELECT * FROM nowhere"))

    with pytest.raises(OperationalError):
        database.transact(hopeless)
    assert len(tries) == 1 < ATTEMPTS
    database.close()
