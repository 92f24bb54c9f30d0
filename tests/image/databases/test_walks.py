"""An image's whole life, the same on each database."""

import hashlib
from collections.abc import Callable

import pytest
from starlette.testclient import TestClient

from pileus.image.cache.copies import Copies
from pileus.image.data.sweep import sweep
from pileus.image.tasks.actions import forget
from pileus.kernel.cloud import Cloud
from pileus.kernel.http.call import Json
from tests.image.api.people import ADMIN, IMAGES, change, make, show, upload
from tests.image.imports.conftest import Web
from tests.image.imports.test_locations import point
from tests.image.imports.walks import ask, files, stage, tasks

DATA = b"guest" * 1000
OWNER = {"x-auth-token": "walker:member,reader"}
Work = Callable[[], int]


@pytest.fixture(autouse=True)
def tidy(client: TestClient, cloud: Cloud) -> object:
    """Nothing is left of a walk."""
    yield
    for image in client.get(f"{IMAGES}?visibility=all", headers=ADMIN).json()["images"]:
        assert client.delete(f"{IMAGES}/{image['id']}", headers=ADMIN).status_code == 204
    sweep(cloud)
    assert set(files(cloud).values()) == {0}


def test_each_way_in(client: TestClient, work: Work, web: Web) -> None:
    sent, staged, fetched, pointed = (make(client, OWNER)["id"] for _ in range(4))
    assert upload(client, sent, DATA, OWNER) == 204
    assert stage(client, staged, DATA, OWNER) == 204 and ask(client, staged, "glance-direct", OWNER) == 202
    assert ask(client, fetched, "web-download", OWNER, uri=web.url("/disk", DATA), stores=["second", "file"]) == 202
    said = {"os_hash_algo": "sha512", "os_hash_value": hashlib.sha512(DATA).hexdigest()}
    assert point(client, pointed, web.url("/disk"), OWNER, said) == 202
    assert work() == 3
    for image_id in (sent, staged, fetched, pointed):
        image = show(client, image_id, OWNER)
        assert (image["status"], image["os_hash_value"]) == ("active", said["os_hash_value"])
        assert client.get(f"{IMAGES}/{image_id}/file", headers=OWNER).content == DATA
    assert [task["status"] for task in tasks(client, fetched, OWNER)] == ["success"]
    assert ask(client, staged, "copy-image", ADMIN, all_stores=True) == 202 and work() == 1
    assert show(client, staged, OWNER)["stores"] == "file,second"
    assert client.delete(f"/image/v2/stores/file/{staged}", headers=ADMIN).status_code == 204
    assert client.get(f"{IMAGES}/{staged}/file", headers=OWNER).content == DATA


def test_what_failed_is_as_before(client: TestClient, cloud: Cloud, work: Work, web: Web) -> None:
    image_id = make(client, OWNER, disk_format="qcow2")["id"]
    assert ask(client, image_id, "web-download", OWNER, uri=web.url("/lies", DATA)) == 202 and work() == 1
    assert show(client, image_id, OWNER)["status"] == "queued"
    assert tasks(client, image_id, OWNER)[0]["status"] == "failure"
    forget(cloud)


def test_the_list_of_tasks(client: TestClient, work: Work, web: Web) -> None:
    for _ in range(3):
        ask(client, make(client, OWNER)["id"], "web-download", OWNER, uri=web.url("/disk", DATA))
    work()
    for key in ("created_at", "updated_at", "status", "type", "id"):
        path: str | None = f"/image/v2/tasks?limit=2&sort_key={key}&sort_dir=asc"
        seen: list[str] = []
        while path:
            page: Json = client.get(path, headers=ADMIN).json()
            seen += [task["id"] for task in page["tasks"]]
            path = f"/image{page['next']}" if "next" in page else None
        assert len(seen) == len(set(seen)) >= 3


def test_copies_of_a_host(client: TestClient, cloud: Cloud) -> None:
    image_id = make(client, OWNER)["id"]
    upload(client, image_id, DATA, OWNER)
    assert client.put(f"/image/v2/cache/{image_id}", headers=ADMIN).status_code == 202
    cloud.part(Copies).make()
    [copy] = client.get("/image/v2/cache", headers=ADMIN).json()["cached_images"]
    assert (copy["image_id"], copy["size"]) == (image_id, len(DATA))
    assert client.get(f"{IMAGES}/{image_id}/file", headers=OWNER).content == DATA
    assert client.post("/image/v2/cache/prune", headers=ADMIN).status_code == 204
    assert client.delete(f"{IMAGES}/{image_id}", headers=OWNER).status_code == 204
    cloud.part(Copies).clean()
    assert client.get("/image/v2/cache", headers=ADMIN).json()["cached_images"] == []


def test_names_are_compared_byte_by_byte(client: TestClient) -> None:
    """Also what is hidden from a caller could be asked for under another spelling."""
    tags, properties = ["tag", "TAG", "tàg", "tag "], {"colour": "red", "COLOUR": "RED", "colour ": "red"}
    image_id = make(client, OWNER, tags=tags, **properties)["id"]
    image = show(client, image_id, OWNER)
    assert set(image["tags"]) == set(tags) and {name: image[name] for name in properties} == properties
    for query, count in (("colour=red", 1), ("colour=RED", 0), ("Colour=red", 0), ("tag=tag", 1), ("tag=Tag", 0)):
        assert len(client.get(f"{IMAGES}?{query}", headers=OWNER).json()["images"]) == count, query
    assert change(client, image_id, {"op": "remove", "path": "/colour"}, who=OWNER) == 200
    assert show(client, image_id, OWNER)["COLOUR"] == "RED"


def test_an_id_has_one_spelling(client: TestClient) -> None:
    image_id = make(client, OWNER, id="abcdef00-0000-4000-8000-000000000001")["id"]
    assert client.get(f"{IMAGES}/{image_id.upper()}", headers=OWNER).status_code == 404
    assert upload(client, image_id.upper(), DATA, OWNER) == 404


def test_images_without_values_are_paged(client: TestClient) -> None:
    for more in ({"name": None}, {"name": "a"}, {"disk_format": None}, {"name": None, "container_format": None}):
        make(client, OWNER, **more)
    for key in ("name", "size", "disk_format", "container_format"):
        for direction in ("asc", "desc"):
            path: str | None = f"{IMAGES}?limit=1&sort_key={key}&sort_dir={direction}"
            seen: list[str] = []
            while path:
                page: Json = client.get(path, headers=OWNER).json()
                seen += [image["id"] for image in page["images"]]
                path = f"/image{page['next']}" if "next" in page else None
            assert len(seen) == len(set(seen)) == 4
