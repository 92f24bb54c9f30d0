"""What `pileus audit` says of images: each thing that can be wrong is found, and nothing else is."""

import contextlib
import os
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import text
from starlette.testclient import TestClient

from pileus.image.audit import astray, stuck
from pileus.image.cache.copies import Copies
from pileus.image.data import lease
from pileus.image.data.sweep import sweep
from pileus.image.stores.registry import STAGING
from pileus.kernel.cloud import Cloud
from tests.image.api.people import ADMIN, IMAGES, MEMBER, active, make
from tests.image.imports.conftest import Web
from tests.image.imports.walks import ask, stage

DATA = b"guest" * 1000
Work = Callable[[], int]


def found(cloud: Cloud) -> list[str]:
    with cloud.db.reading() as db:
        return [*stuck(db), *astray(db, cloud.config)]


def write(cloud: Cloud, statement: str, **values: object) -> None:
    with cloud.db.writing() as db:
        db.execute(text(statement), values)


def age(*files: Path) -> None:
    for file in files:
        os.utime(file, (time.time() - 3600,) * 2)


def test_a_cloud_at_work(client: TestClient, cloud: Cloud, web: Web, work: Work) -> None:
    """In each state that images come through, with old files."""
    make(client)
    active(client, DATA)
    deactivated = active(client, DATA)["id"]
    assert client.post(f"{IMAGES}/{deactivated}/actions/deactivate", headers=ADMIN).status_code == 204
    staged, asked, saving, cached = (
        make(client)["id"],
        make(client)["id"],
        make(client)["id"],
        active(client, DATA)["id"],
    )
    assert stage(client, staged, DATA) == 204
    with cloud.db.writing() as db:
        assert lease.claim(db, saving, "file", 30)
    assert ask(client, asked, "web-download", uri=web.url("/disk", DATA)) == 202
    client.put(f"/image/v2/cache/{cached}", headers=ADMIN)
    cloud.part(Copies).make()
    folders = [cloud.config.state / name for name in ("images", "staging", "image-cache")]
    age(*(file for folder in folders for file in folder.iterdir()))
    assert found(cloud) == []
    work()
    assert found(cloud) == []


@pytest.mark.parametrize("status", ["saving", "uploading", "importing"])
def test_an_image_on_its_way_to_nowhere(client: TestClient, cloud: Cloud, status: str) -> None:
    image_id = make(client)["id"]
    write(cloud, "UPDATE images SET status = :status WHERE id = :id", status=status, id=image_id)
    [only] = found(cloud)
    assert image_id in only and status in only


def test_a_writer_whose_lease_ended_long_ago(client: TestClient, cloud: Cloud) -> None:
    image_id = make(client)["id"]
    with cloud.db.writing() as db:
        assert lease.claim(db, image_id, "file", -30)
    assert found(cloud) == []  # the sweep comes soon
    write(cloud, "UPDATE image_locations SET until = '2020-01-01 00:00:00.000000'")
    [only] = found(cloud)
    assert image_id in only and "writer" in only
    sweep(cloud)
    assert found(cloud) == []


def test_a_location_without_an_image(client: TestClient, cloud: Cloud) -> None:
    """The database forbids it, unless somebody told it not to look."""
    image_id = active(client, DATA)["id"]
    with contextlib.closing(sqlite3.connect(cloud.config.state / "db" / "pileus.sqlite")) as link, link:
        link.execute("DELETE FROM images WHERE id = ?", (image_id,))
    assert any("neither a writer nor an image" in one for one in found(cloud))


def test_a_task_without_an_image(client: TestClient, cloud: Cloud, web: Web, work: Work) -> None:
    image_id = make(client)["id"]
    assert ask(client, image_id, "web-download", uri=web.url("/disk", DATA)) == 202
    client.delete(f"{IMAGES}/{image_id}", headers=MEMBER)
    assert found(cloud) == []  # a worker looks at it soon
    write(cloud, "UPDATE image_tasks SET updated_at = '2020-01-01 00:00:00.000000'")
    [only] = found(cloud)
    assert "without an image" in only
    work()
    assert found(cloud) == []


def test_a_mark_without_a_task(client: TestClient, cloud: Cloud, web: Web, work: Work) -> None:
    image_id = make(client)["id"]
    assert ask(client, image_id, "web-download", uri=web.url("/disk", DATA)) == 202
    write(cloud, "UPDATE image_tasks SET status = 'failure'")
    assert {image_id in one for one in found(cloud)} == {True} and len(found(cloud)) == 2


def test_an_active_image_without_data(client: TestClient, cloud: Cloud) -> None:
    image_id = active(client, DATA)["id"]
    write(cloud, "DELETE FROM image_locations")
    assert f"image {image_id} is active and has no data" in found(cloud)


@pytest.mark.parametrize("folder", ["images", "staging", "image-stores/second", "image-cache"])
def test_files_that_nobody_names(client: TestClient, cloud: Cloud, folder: str) -> None:
    file = cloud.config.state / folder / "11111111-2222-3333-4444-555555555555.0123"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(DATA)
    assert found(cloud) == []  # perhaps the sweep was not there yet
    age(file)
    [only] = found(cloud)
    assert file.name in only
    sweep(cloud)
    cloud.part(Copies).clean()
    assert found(cloud) == []


@pytest.mark.parametrize("store", ["file", STAGING])
def test_files_that_are_gone(client: TestClient, cloud: Cloud, store: str) -> None:
    image_id = make(client)["id"]
    if store == STAGING:
        stage(client, image_id, DATA)
    else:
        client.put(
            f"{IMAGES}/{image_id}/file", content=DATA, headers=MEMBER | {"content-type": "application/octet-stream"}
        )
    [file] = (cloud.config.state / ("staging" if store == STAGING else "images")).iterdir()
    file.unlink()
    assert found(cloud) == [f"store {store} has lost {file.name}"]
