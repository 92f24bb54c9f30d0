"""The part that needs Alembic loaded."""

from alembic import command
from alembic.config import Config
from alembic.operations.ops import AddColumnOp, DropIndexOp, MigrationScript, ModifyTableOps
from alembic.runtime.migration import MigrationContext
from sqlalchemy import JSON, Boolean, DefaultClause, Integer, false, text
from sqlalchemy.types import TypeEngine

from pileus.kernel.db import Database
from pileus.migrations import VERSIONS, next_number


def _config(db: Database) -> Config:
    config = Config()
    config.set_main_option("script_location", str(VERSIONS.parent))
    config.attributes["database"] = db
    return config


def run_upgrade(db: Database, revision: str = "head") -> None:
    command.upgrade(_config(db), revision)


def write_revision(db: Database, message: str) -> None:
    command.revision(
        _config(db),
        message=message,
        autogenerate=True,
        rev_id=next_number(),
        process_revision_directives=_for_tables_with_rows,
    )


def _for_tables_with_rows(_context: MigrationContext, _revision: object, scripts: list[MigrationScript]) -> None:
    """What autogeneration forgets: what old rows have in new columns, and that an index goes after the one that takes its place.

    (MariaDB keeps one for each foreign key.)
    """
    for changed in scripts[0].upgrade_ops.ops if scripts[0].upgrade_ops else ():
        if isinstance(changed, ModifyTableOps):
            changed.ops.sort(key=lambda op: isinstance(op, DropIndexOp))
            for op in changed.ops:
                if isinstance(op, AddColumnOp) and not op.column.nullable:
                    op.column.server_default = _nothing(op.column.type)


def _nothing(kind: TypeEngine[object]) -> DefaultClause | None:
    """False, zero, an empty object; other kinds say themselves what is theirs."""
    if isinstance(kind, Boolean):
        return DefaultClause(false())
    if isinstance(kind, Integer):
        return DefaultClause(text("0"))
    return DefaultClause("{}") if isinstance(kind, JSON) else None
