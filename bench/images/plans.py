"""How SQLite answers what is asked of it meanwhile."""

import re
from types import TracebackType
from typing import Any, Self

from sqlalchemy import event

from pileus.kernel.db import Database

INDEX = re.compile(r"\bimages USING (?:COVERING )?INDEX (\S+)")
LIST = re.compile(r"\bFROM images\b.*\bORDER BY\b", re.DOTALL)
WHOLE = re.compile(r"SCAN images(?! USING)")


class Plans:
    """Over a `with` block: its `statements`; as text, how the one that lists images finds them."""

    def __init__(self, db: Database) -> None:
        with db.reading() as session:
            self._engine = session.connection().engine
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
        found = [self._of(*each) for each in self.statements if LIST.search(each[0])]
        return found[0] if found else "no list"

    def _of(self, statement: str, parameters: Any) -> str:
        with self._engine.connect() as connection:
            rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters).all()
        steps = [str(row[-1]) for row in rows]
        if any(WHOLE.search(step) for step in steps):
            return "reads every row"
        names = dict.fromkeys(found[1] for step in steps if (found := INDEX.search(step)))
        sorts = "; sorts what it found" if "USE TEMP B-TREE FOR ORDER BY" in steps else ""
        return f"by {', '.join(names)}{sorts}"
