"""The transaction that completes an image's data was committed, and its process did not hear of it: the data must stay."""

from pathlib import Path

import pytest
from sqlalchemy import event
from sqlalchemy.orm import Session
from starlette.testclient import TestClient

from pileus.image.data import lease
from pileus.image.imports.run import reconciler
from pileus.image.internal import import_file
from pileus.kernel.cloud import Cloud
from tests.image.api.people import ADMIN, IMAGES, MEMBER, make, show, upload
from tests.image.imports.walks import ask, stage

DATA = b"bytes" * 1000


class Unheard(Exception):
    """As when the connection breaks during COMMIT, or the request is cancelled at that moment."""


@pytest.fixture(autouse=True)
def deaf(monkeypatch: pytest.MonkeyPatch) -> None:
    real = lease.complete

    def complete(db: Session, place: lease.Place, size: int) -> bool:
        done = real(db, place, size)

        def fail(_session: Session) -> None:
            raise Unheard

        event.listen(db, "after_commit", fail, once=True)
        return done

    monkeypatch.setattr(lease, "complete", complete)


def read(client: TestClient, image_id: str) -> bytes:
    return bytes(client.get(f"{IMAGES}/{image_id}/file", headers=MEMBER).content)


def test_an_upload(client: TestClient) -> None:
    image_id = make(client)["id"]
    assert upload(client, image_id, DATA) == 500
    assert show(client, image_id)["status"] == "active" and read(client, image_id) == DATA


def test_staging_and_importing(client: TestClient, cloud: Cloud) -> None:
    image_id = make(client)["id"]
    assert stage(client, image_id, DATA) == 500
    assert show(client, image_id)["status"] == "uploading"
    assert ask(client, image_id, "glance-direct") == 202
    reconciler(cloud, parallel=1).round()
    assert show(client, image_id)["status"] == "active" and read(client, image_id) == DATA


def test_a_file_of_this_host(client: TestClient, cloud: Cloud, tmp_path: Path) -> None:
    path = tmp_path / "disk"
    path.write_bytes(DATA)
    with pytest.raises(Unheard):
        import_file(cloud, path, name="seed", disk_format="raw", owner="p1", visibility="public", properties={})
    [image] = client.get(IMAGES, headers=ADMIN).json()["images"]
    assert image["status"] == "active" and read(client, image["id"]) == DATA
