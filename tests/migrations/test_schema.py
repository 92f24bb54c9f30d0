"""The revisions give exactly the schema that the models have: on SQLite, and on a real MariaDB."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text
from tests.mariadb import running

from pileus import migrations
from pileus.composition import MANIFESTS
from pileus.kernel.db import Base, Database
from pileus.migrations.alembic import run_upgrade

assert MANIFESTS  # importing the services fills the metadata


@pytest.fixture
def empty_mariadb(tmp_path: Path) -> Iterator[str]:
    with running(tmp_path / "own") as url:
        yield url


@pytest.fixture(scope="module")
def mariadb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running(tmp_path_factory.mktemp("mariadb")) as url:
        yield url


def differences(database: Database) -> list[str]:
    toys = {mapper.local_table for mapper in Base.registry.mappers if mapper.class_.__module__.startswith("tests.")}
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"include_object": lambda item, *_: item not in toys})
        return [str(difference) for difference in compare_metadata(context, Base.metadata)]


def test_sqlite(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'x.sqlite'}")
    migrations.upgrade(database)
    assert migrations.current(database) == migrations.head()
    assert differences(database) == []
    migrations.upgrade(database)
    database.close()


def test_mariadb(mariadb: str) -> None:
    database = Database(mariadb)
    migrations.upgrade(database)
    assert migrations.current(database) == migrations.head()
    assert differences(database) == []
    migrations.upgrade(database)
    database.close()


FIRST_CLOUD = (
    "INSERT INTO projects (id, domain_id, name, description, is_domain, enabled, options, extra) "
    "VALUES ('default', '', 'Default', '', 1, 1, '{}', '{}')",
    "INSERT INTO users (id, domain_id, name, enabled, options, extra, token_epoch) "
    "VALUES ('u', 'default', 'admin', 1, '{}', '{}', 0)",
    "INSERT INTO passwords (user_id, hash, created_at) VALUES ('u', 'x', '2026-01-01 00:00:00')",
    "INSERT INTO application_credentials (id, user_id, project_id, name, secret_hash, unrestricted) "
    "VALUES ('a', 'u', 'default', 'robot', 'x', 0)",
    "INSERT INTO images (id, name, status, visibility, min_disk, min_ram, protected, os_hidden, created_at, updated_at, data_key) "
    "VALUES ('i', 'pico', 'active', 'public', 0, 0, 0, 0, '2026-01-01 00:00:00', '2026-01-01 00:00:00', 'k')",
    "INSERT INTO image_tags (image_id, value) VALUES ('i', 'small')",
)


@pytest.mark.parametrize("kind", ["sqlite", "mariadb"])
def test_a_cloud_of_the_first_revision_is_taken_along(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    url = f"sqlite:///{tmp_path / 'x.sqlite'}" if kind == "sqlite" else request.getfixturevalue("empty_mariadb")
    database = Database(url)
    run_upgrade(database, "0001")
    with database.engine.begin() as connection:
        for statement in FIRST_CLOUD:
            connection.execute(text(statement))
    migrations.upgrade(database)
    assert differences(database) == []
    with database.engine.connect() as connection:
        assert connection.execute(text("SELECT name FROM users")).scalars().all() == ["admin"]
        assert connection.execute(text("SELECT ruled FROM application_credentials")).scalar() == 0
        places = connection.execute(text("SELECT image_id, store, `key`, until FROM image_locations")).all()
        assert [tuple(place) for place in places] == [("i", "file", "k", None)]
        assert connection.execute(text("SELECT value FROM image_tags")).scalar() == "small"
    database.close()


def test_a_server_lives_on_mariadb(mariadb: str, tmp_path: Path) -> None:
    """The same life as on SQLite, with handlers in threads."""
    import asyncio

    from tests.compute.test_life import whole_life
    from tests.living import living_cloud

    async def story() -> None:
        async with living_cloud(tmp_path, overrides={"database": mariadb}) as cloud:
            await whole_life(cloud)

    asyncio.run(story())
