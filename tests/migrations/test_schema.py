"""The revisions give exactly the schema that the models have: on SQLite, and on a real MariaDB."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text

from pileus import migrations
from pileus.composition import MANIFESTS
from pileus.kernel.db import Base, Database

assert MANIFESTS  # importing the services fills the metadata


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture(scope="module")
def mariadb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of an empty database on a server of this test's own."""
    if shutil.which("mariadbd") is None and os.geteuid() != 0:
        pytest.skip("mariadbd is not installed")
    folder = tmp_path_factory.mktemp("mariadb")
    port, data = free_port(), folder / "data"
    user = ["--user=root"] if os.geteuid() == 0 else []
    common = ["--no-defaults", f"--datadir={data}"]
    subprocess.run(
        ["mariadb-install-db", *common, *user, "--auth-root-authentication-method=normal", "--skip-test-db"],
        check=True,
        capture_output=True,
    )
    log = (folder / "log").open("w")
    server = subprocess.Popen(
        [
            "mariadbd",
            *common,
            *user,
            "--bind-address=127.0.0.1",
            f"--port={port}",
            f"--socket={folder}/s",
            "--innodb-buffer-pool-size=32M",
        ],
        stdout=subprocess.DEVNULL,
        stderr=log,
    )
    url = f"mysql+pymysql://root@127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + 60
        while True:
            try:
                admin = Database(f"{url}/mysql")
                with admin.engine.begin() as connection:
                    connection.execute(text("CREATE DATABASE pileus CHARACTER SET utf8mb4"))
                admin.close()
                break
            except Exception:
                assert server.poll() is None and time.monotonic() < deadline, (folder / "log").read_text()
                time.sleep(0.2)
        yield f"{url}/pileus?charset=utf8mb4"
    finally:
        server.terminate()
        server.wait(30)
        log.close()


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
