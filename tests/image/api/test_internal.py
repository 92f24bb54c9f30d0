"""What the other services call, and what is swept up after uploads that never ended."""

import hashlib
from pathlib import Path

import pytest
from sqlalchemy import update
from starlette.testclient import TestClient

from pileus.image import internal
from pileus.image.data import lease
from pileus.image.data.sweep import sweep
from pileus.image.drivers.base import DataKey
from pileus.image.formats import FormatRefused
from pileus.image.locations.models import ImageLocation
from pileus.image.stores.registry import Stores
from pileus.kernel import clock
from pileus.kernel.cloud import Cloud
from pileus.kernel.context import Context
from tests.image.api.people import ADMIN, IMAGES, MEMBER, active, make, show, stored, upload
from tests.image.formats.disks import qcow2

P1, P2 = Context(project_id="p1", roles=("member",)), Context(project_id="p2", roles=("member",))


def seed(cloud: Cloud, file: Path) -> str:
    return internal.import_file(
        cloud,
        file,
        name="pico",
        disk_format="raw",
        owner="p1",
        visibility="public",
        properties={"os_distro": "pico"},
        min_disk=1,
        min_ram=64,
    )


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "pico.raw"
    path.write_bytes(b"guest" * 500_000)
    return path


def test_an_imported_file_is_an_image_like_any_other(client: TestClient, cloud: Cloud, file: Path) -> None:
    image_id = seed(cloud, file)
    assert seed(cloud, file) == image_id and len(stored(cloud)) == 1
    image = show(client, image_id, ADMIN)
    assert (image["status"], image["visibility"], image["os_distro"]) == ("active", "public", "pico")
    assert client.get(f"{IMAGES}/{image_id}/file", headers=MEMBER).content == file.read_bytes()
    with cloud.db.reading() as db:
        facts = internal.find(db, P2, image_id)
    assert facts == internal.ImageFacts(
        id=image_id,
        name="pico",
        status="active",
        disk_format="raw",
        container_format="bare",
        size=2_500_000,
        virtual_size=2_500_000,
        sha512=hashlib.sha512(file.read_bytes()).hexdigest(),
        hash_algorithm="sha512",
        hash_value=hashlib.sha512(file.read_bytes()).hexdigest(),
        min_disk=1,
        min_ram=64,
        owner="p1",
        visibility="public",
        properties={"os_distro": "pico"},
    )
    assert internal.download_url(cloud, image_id) == f"http://127.0.0.1:8780/image/v2/images/{image_id}/file"


def test_a_file_that_is_refused_leaves_no_image(client: TestClient, cloud: Cloud, file: Path) -> None:
    file.write_bytes(qcow2())
    with pytest.raises(FormatRefused):
        seed(cloud, file)
    with pytest.raises(FileNotFoundError):
        seed(cloud, file.with_name("nothing"))
    assert stored(cloud) == [] and client.get(IMAGES, headers=ADMIN).json()["images"] == []


def test_an_import_that_died_is_done_again(client: TestClient, cloud: Cloud, file: Path) -> None:
    image_id = make(client, name="pico")["id"]
    with cloud.db.writing() as db:
        dead = lease.claim(db, image_id, "file", 60)
    assert dead is not None
    cloud.part(Stores).default.create(dead.data).write(b"half")
    assert seed(cloud, file) == image_id
    sweep(cloud)
    assert show(client, image_id)["size"] == 2_500_000 and len(stored(cloud)) == 1


def test_find_sees_what_the_caller_sees(client: TestClient, cloud: Cloud) -> None:
    private, queued = active(client, visibility="private")["id"], make(client, name=None)["id"]
    with cloud.db.reading() as db:
        assert internal.find(db, P2, private) is None and internal.find(db, P1, "nothing") is None
        assert internal.find(db, P1, private) is not None
        empty = internal.find(db, P1, queued)
        assert empty is not None and (empty.name, empty.status, empty.sha512, empty.size) == ("", "queued", "", 0)
        assert internal.facts(db, [private, queued, "nothing"]).keys() == {private, queued}


def test_a_sweep_takes_what_is_dead_and_nothing_else(client: TestClient, cloud: Cloud) -> None:
    store = cloud.part(Stores).default
    whole, dead, alive = active(client)["id"], make(client)["id"], make(client)["id"]
    with cloud.db.writing() as db:
        keys = [lease.claim(db, dead, "file", 60), lease.claim(db, alive, "file", 60)]
    for key in (*(place.data for place in keys if place is not None), DataKey("no-such-image", "0")):
        sink = store.create(key)
        sink.write(b"half")
        sink.commit()
    with cloud.db.writing() as db:
        db.execute(update(ImageLocation).where(ImageLocation.image_id == dead).values(until=clock.after(-1)))
    for _ in range(2):
        sweep(cloud)
        assert [show(client, i)["status"] for i in (whole, dead, alive)] == ["active", "queued", "saving"]
        assert {path.name.partition(".")[0] for path in stored(cloud)} == {whole, alive}
    assert upload(client, dead, b"now") == 204 and upload(client, alive, b"now") == 409


def test_a_writer_that_was_given_up_cannot_complete(client: TestClient, cloud: Cloud) -> None:
    image_id = make(client)["id"]
    with cloud.db.writing() as db:
        first = lease.claim(db, image_id, "file", 60)
        assert first is not None and lease.claim(db, image_id, "file", 60) is None
        assert lease.release(db, first)
        second = lease.claim(db, image_id, "file", 60)
        assert second is not None and second != first
        assert not lease.renew(db, [first], 60) and not lease.release(db, first)
        assert lease.renew(db, [second], 60)
