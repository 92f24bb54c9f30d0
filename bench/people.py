"""Thousands of users, projects and assignments, written straight into a cloud's SQLite: as the API would leave them."""

import sqlite3
from pathlib import Path

GIVEN = 5  # assignments of each user, in as many projects
STEP = 37  # from one of a user's projects to the next, so that every project has several users
_NUMBERS = "WITH RECURSIVE numbers(n) AS (SELECT :first UNION ALL SELECT n + 1 FROM numbers WHERE n + 1 < :last)"


def user_id(number: int) -> str:
    return f"{number:032x}"


def project_id(number: int) -> str:
    return f"{(1 << 64) + number:032x}"


class Crowd:
    """Users `crowd-0`, … with the password of demo; user n is a member of the projects n, n + STEP, …"""

    def __init__(self, state: Path) -> None:
        self.file = state / "db" / "pileus.sqlite"
        self.count = 0

    def grow(self, count: int) -> None:
        """Have that many users and projects, and GIVEN times as many assignments."""
        owner = self.file.stat()
        db = sqlite3.connect(self.file, timeout=60)
        try:
            with db:
                self._write(db, count)
        finally:
            db.close()
        assert self.file.stat().st_uid == owner.st_uid
        self.count = count

    def _write(self, db: sqlite3.Connection, count: int) -> None:
        user, project = "printf('%032x', n)", "'0000000000000001' || printf('%016x', {})"
        own = project.format("n")
        demo = "(SELECT id FROM users WHERE name = 'demo')"
        home = "(SELECT id FROM projects WHERE name = 'demo' AND NOT is_domain)"
        fresh = {"first": self.count, "last": count}
        _copy(db, "projects", f"id = {home}", fresh, id=own, name="'crowd-' || n")
        _copy(db, "project_ancestors", f"project_id = {home}", fresh, project_id=own)
        _copy(db, "users", f"id = {demo}", fresh, id=user, name="'crowd-' || n", default_project_id=own)
        _copy(db, "passwords", f"user_id = {demo}", fresh, user_id=user)
        given = f"actor_id = {demo} AND target_id = {home}"
        for step in range(GIVEN):
            target = project.format(f"(n + {step * STEP}) % {count}")
            _copy(db, "role_assignments", given, fresh, actor_id=user, target_id=target)


def _copy(db: sqlite3.Connection, table: str, where: str, numbers: dict[str, int], **changed: str) -> None:
    """Copies of one row, one for each number n, with some columns changed to expressions of n."""
    columns = [row[1] for row in db.execute(f"PRAGMA table_info({table})")]
    values = ", ".join(changed.get(column, f'"{table}"."{column}"') for column in columns)
    names = ", ".join(f'"{column}"' for column in columns)
    db.execute(
        f'{_NUMBERS} INSERT OR IGNORE INTO "{table}" ({names}) SELECT {values} FROM numbers, "{table}" WHERE {where}',
        numbers,
    )
