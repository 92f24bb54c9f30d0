"""The part that needs Alembic loaded."""

from alembic import command
from alembic.config import Config

from pileus.kernel.db import Database
from pileus.migrations import VERSIONS, next_number


def _config(db: Database) -> Config:
    config = Config()
    config.set_main_option("script_location", str(VERSIONS.parent))
    config.attributes["database"] = db
    return config


def run_upgrade(db: Database) -> None:
    command.upgrade(_config(db), "head")


def write_revision(db: Database, message: str) -> None:
    command.revision(_config(db), message=message, autogenerate=True, rev_id=next_number())
