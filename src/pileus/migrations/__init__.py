"""The schema's history (Alembic). One schema for all services, upgraded when a cloud starts.

A new revision: `python -m pileus.migrations MESSAGE` compares the models with the last revision and writes the file.
"""

import re
from pathlib import Path

from sqlalchemy import inspect, text

from pileus.kernel.db import Database

VERSIONS = Path(__file__).parent / "versions"


def head() -> str:
    """The newest revision, found without loading Alembic: files are named `NNNN_message.py`, revisions `NNNN`."""
    return max(path.name.partition("_")[0] for path in VERSIONS.glob("[0-9]*_*.py"))


def current(db: Database) -> str | None:
    with db.engine.connect() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        found: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
        return found


def upgrade(db: Database) -> None:
    """Bring the database to the newest revision; nothing is loaded when it is there already."""
    if current(db) == head():
        return
    from pileus.migrations.alembic import run_upgrade

    run_upgrade(db)


def next_number() -> str:
    numbers = [int(found[1]) for path in VERSIONS.glob("*.py") if (found := re.match(r"(\d{4})_", path.name))]
    return f"{max(numbers, default=0) + 1:04d}"
