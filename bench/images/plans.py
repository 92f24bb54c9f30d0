"""How SQLite answers what is asked of it meanwhile."""

import re
from types import TracebackType
from typing import Any, Self

from sqlalchemy import event

from pileus.kernel.db import Database

SCAN = re.compile(r"SCAN (images|image_\w+)( USING (?:COVERING )?INDEX (\S+))?")
SEARCH = re.compile(r"SEARCH images USING (?:COVERING )?INDEX (\S+)")


class Plans:
    """Over a `with` block: its `statements`; as text, how the rows of the first one that reads images are found."""

    def __init__(self, db: Database) -> None:
        with db.reading() as session:
            self._engine = session.get_bind()
        self.statements: list[tuple[str, Any]] = []

    def __enter__(self) -> Self:
        event.listen(self._engine, "before_cursor_execute", self._note)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        event.remove(self._engine, "before_cursor_execute", self._note)

    def _note(self, connection: Any, cursor: Any, statement: str, parameters: Any, context: Any, many: bool) -> None:
        if statement.startswith("SELECT"):
            self.statements.append((statement, parameters))

    def __str__(self) -> str:
        said = [self._of(*statement) for statement in self.statements if " LIMIT " in statement[0]]
        return said[0] if said else "no list"

    def _of(self, statement: str, parameters: Any) -> str:
        with self._engine.connect() as connection:
            rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters).all()
        return "; ".join(str(row[-1]) for row in rows)
