"""A cloud in this process for tests: SQLite in a folder, a bus in memory, tokens that say who they are."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from pileus.kernel import config
from pileus.kernel.bus.memory import MemoryBus
from pileus.kernel.cloud import Cloud, settings_of
from pileus.kernel.context import Context
from pileus.kernel.db import Base, Database
from pileus.kernel.errors import Unauthorized
from pileus.kernel.manifest import Manifest
from pileus.kernel.policy import Policy
from pileus.placement import audit


class Tokens:
    """Stands in for identity where a test is about another service: tokens of the form `project:role,role`."""

    def authenticate(self, db: Session, token: str) -> Context:
        project, colon, roles = token.partition(":")
        if not colon:
            raise Unauthorized("The token is not valid.")
        return Context(user_id=f"user-of-{project}", project_id=project, roles=tuple(roles.split(",")), token=token)


@contextmanager
def cloud_of(
    folder: Path, *manifests: Manifest, overrides: Mapping[str, Any] | None = None, file: Path | None = None
) -> Iterator[Cloud]:
    """`overrides` are `[cloud]` settings; `file` is a configuration."""
    (folder / "db").mkdir(exist_ok=True)
    conf = config.load(folder, file, settings_of(manifests), overrides or {})
    database = Database(conf.database_url)
    Base.metadata.create_all(database.engine)
    rules = [rule for manifest in manifests for rule in manifest.policies]
    yield Cloud(conf, database, MemoryBus(), Policy(rules, conf.policy_file), manifests)
    if any(manifest.name in ("placement", "compute") for manifest in manifests):
        with database.reading() as db:
            assert audit.unowned(db) == [], "what `pileus audit` would say after the test"
    database.close()
