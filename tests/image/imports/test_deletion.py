"""Deleted images whose data stays for a while, and quotas of what is staged and stored."""

from collections.abc import Callable

import pytest
from sqlalchemy import update
from starlette.testclient import TestClient

from pileus.image.data.sweep import sweep
from pileus.image.images.models import Image
from pileus.image.stores.registry import STAGING
from pileus.kernel import clock
from pileus.kernel.cloud import Cloud
from tests.image.api.people import ADMIN, IMAGES, MEMBER, active, make, show
from tests.image.imports.walks import ask, files, stage, tasks

Work = Callable[[], int]
MIB = 1 << 20


@pytest.fixture
def settings() -> str:
    return "delayed_delete = true\nscrub_time = 3600\nquota_stage_mib = 1\nquota_size_mib = 3"


def test_delayed_deletion(client: TestClient, cloud: Cloud) -> None:
    image_id = active(client, b"x")["id"]
    assert client.delete(f"{IMAGES}/{image_id}", headers=MEMBER).status_code == 204
    for who in (MEMBER, ADMIN):
        assert client.get(f"{IMAGES}/{image_id}", headers=who).status_code == 404
        assert client.get(f"{IMAGES}/{image_id}/file", headers=who).status_code == 404
        assert client.get(IMAGES, headers=who).json()["images"] == []
    assert client.post(IMAGES, json={"id": image_id, "name": "x"}, headers=MEMBER).status_code == 409
    usage = client.get("/image/v2/info/usage", headers=MEMBER).json()["usage"]
    assert usage["image_size_total"]["usage"] == usage["image_count_total"]["usage"] == 0
    sweep(cloud)
    assert files(cloud)["file"] == 1
    with cloud.db.writing() as db:
        db.execute(update(Image).where(Image.id == image_id).values(scrub_at=clock.after(-1)))
    sweep(cloud)
    assert files(cloud)["file"] == 0
    with cloud.db.reading() as db:
        assert db.get(Image, image_id) is None


def test_what_is_staged_counts(client: TestClient, cloud: Cloud, work: Work) -> None:
    first, second = make(client)["id"], make(client)["id"]
    assert stage(client, first, bytes(MIB)) == 204 and stage(client, second, b"x") == 413
    usage = client.get("/image/v2/info/usage", headers=MEMBER).json()["usage"]
    assert usage["image_stage_total"] == {"limit": 1, "usage": 1}
    assert usage["image_count_uploading"]["usage"] == 1 and usage["image_size_total"]["usage"] == 0
    ask(client, first, "glance-direct", all_stores=True)
    work()
    assert show(client, second)["status"] == "queued" and stage(client, second, bytes(MIB)) == 204
    usage = client.get("/image/v2/info/usage", headers=MEMBER).json()["usage"]
    assert (usage["image_stage_total"]["usage"], usage["image_size_total"]["usage"]) == (1, 2)
    ask(client, second, "glance-direct", all_stores=True)  # two copies of 1 MiB where 1 MiB is left
    work()
    assert show(client, second)["status"] == "queued" and "longer" in tasks(client, second)[0]["message"]
    assert files(cloud) == {"file": 1, "second": 1, STAGING: 0}
