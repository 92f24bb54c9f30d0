"""The revisions give exactly the schema that the models have: on SQLite, and on a real MariaDB."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from tests.mariadb import running

from pileus import migrations
from pileus.composition import MANIFESTS
from pileus.kernel.db import Base, Database

assert MANIFESTS  # importing the services fills the metadata


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


def test_a_server_lives_on_mariadb(mariadb: str, tmp_path: Path) -> None:
    """The same life as on SQLite, with handlers in threads."""
    import asyncio

    from tests.compute.test_life import whole_life
    from tests.living import living_cloud

    async def story() -> None:
        async with living_cloud(tmp_path, overrides={"database": mariadb}) as cloud:
            await whole_life(cloud)

    asyncio.run(story())
