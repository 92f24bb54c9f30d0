"""Copies of images on an API host."""

from collections.abc import Callable

import pytest
from sqlalchemy import update
from starlette.testclient import TestClient

from pileus.image.cache.copies import Copies
from pileus.image.cache.models import CachedImage
from pileus.kernel import clock
from pileus.kernel.cloud import Cloud
from pileus.kernel.http.call import Json
from tests.image.api.people import ADMIN, IMAGES, MEMBER, active, eventually, make
from tests.image.imports.conftest import Web
from tests.image.imports.test_locations import point

CACHE = "/image/v2/cache"
DATA = b"guest" * 1000
Work = Callable[[], int]


@pytest.fixture
def settings() -> str:
    return "cache_max_size = 12000"


def cached(client: TestClient) -> tuple[list[str], list[str]]:
    body = client.get(CACHE, headers=ADMIN).json()
    return [one["image_id"] for one in body["cached_images"]], body["queued_images"]


def files(cloud: Cloud) -> list[str]:
    folder = cloud.part(Copies).folder
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def test_a_copy_that_was_asked_for(client: TestClient, cloud: Cloud) -> None:
    image_id, queued = active(client, DATA)["id"], make(client)["id"]
    assert [client.put(f"{CACHE}/{i}", headers=ADMIN).status_code for i in (queued, "nothing", image_id, image_id)] == [
        400,
        404,
        202,
        202,
    ]
    assert cached(client) == ([], [image_id])
    cloud.part(Copies).make()
    assert cached(client) == ([image_id], []) and files(cloud) == [f"{image_id}.copy"]
    assert client.get(f"{IMAGES}/{image_id}/file", headers=MEMBER).content == DATA
    [only] = client.get(CACHE, headers=ADMIN).json()["cached_images"]
    assert (only["hits"], only["size"]) == (1, len(DATA)) and only["last_accessed"] >= only["last_modified"] > 1.7e9
    assert client.delete(f"{CACHE}/{image_id}", headers=ADMIN).status_code == 204
    assert client.delete(f"{CACHE}/{image_id}", headers=ADMIN).status_code == 404
    assert cached(client) == ([], []) and eventually(lambda: files(cloud) == [])
    assert client.get(f"{IMAGES}/{image_id}/file", headers=MEMBER).content == DATA


def test_what_is_downloaded_from_elsewhere_is_kept(client: TestClient, cloud: Cloud, web: Web, work: Work) -> None:
    image_id = make(client)["id"]
    point(client, image_id, web.url("/disk", DATA))
    work()
    assert client.get(f"{IMAGES}/{image_id}/file", headers=MEMBER).content == DATA
    assert cached(client) == ([], [image_id])
    cloud.part(Copies).make()
    web.asked.clear()
    reply = client.get(f"{IMAGES}/{image_id}/file", headers=MEMBER | {"range": "bytes=5-9"})
    assert (reply.status_code, reply.content, web.asked) == (206, b"guest", [])
    assert client.delete(f"{IMAGES}/{image_id}", headers=MEMBER).status_code == 204
    cloud.part(Copies).clean()
    assert cached(client) == ([], []) and files(cloud) == []


def test_what_has_changed_elsewhere_is_no_copy(client: TestClient, cloud: Cloud, web: Web, work: Work) -> None:
    image_id = make(client)["id"]
    point(client, image_id, web.url("/disk", DATA))
    work()
    web.pages["/disk"] = DATA[::-1]
    client.put(f"{CACHE}/{image_id}", headers=ADMIN)
    for _ in range(3):
        assert cached(client) == ([], [image_id])
        cloud.part(Copies).make()
        assert files(cloud) == []
    assert cached(client) == ([], [])


def test_those_longest_unused_make_room(client: TestClient, cloud: Cloud) -> None:
    images = [active(client, DATA)["id"] for _ in range(3)]
    for age, image_id in zip((10, 30, 20), images, strict=True):
        client.put(f"{CACHE}/{image_id}", headers=ADMIN)
        cloud.part(Copies).make()
        with cloud.db.writing() as db:
            this = update(CachedImage).where(CachedImage.image_id == image_id)
            db.execute(this.values(last_accessed=clock.after(-age)))
    assert client.post(f"{CACHE}/prune", headers=ADMIN).status_code == 204
    assert set(cached(client)[0]) == {images[0], images[2]} and eventually(lambda: len(files(cloud)) == 2)


@pytest.mark.parametrize(("target", "left"), [("cache", (0, 1)), ("queue", (1, 0)), ("", (0, 0))])
def test_clearing(client: TestClient, cloud: Cloud, target: str, left: tuple[int, int]) -> None:
    one, two = active(client, DATA)["id"], active(client, DATA)["id"]
    client.put(f"{CACHE}/{one}", headers=ADMIN)
    cloud.part(Copies).make()
    client.put(f"{CACHE}/{two}", headers=ADMIN)
    more = {"x-image-cache-clear-target": target} if target else {}
    assert client.delete(CACHE, headers=ADMIN | {"x-image-cache-clear-target": "invalid"}).status_code == 400
    assert client.delete(CACHE, headers=ADMIN | more).status_code == 204
    copies, queued = cached(client)
    assert (len(copies), len(queued)) == left and eventually(lambda: len(files(cloud)) == left[0])


def test_what_a_dead_process_left(client: TestClient, cloud: Cloud) -> None:
    image_id = active(client, DATA)["id"]
    client.put(f"{CACHE}/{image_id}", headers=ADMIN)
    cloud.part(Copies).folder.mkdir()
    for name in (f"{image_id}.part", "no-such-image.copy"):
        (cloud.part(Copies).folder / name).write_bytes(b"half")
    cloud.part(Copies).make()
    assert files(cloud) == [f"{image_id}.copy"] and cached(client) == ([image_id], [])
    (cloud.part(Copies).folder / f"{image_id}.copy").unlink()
    assert client.get(f"{IMAGES}/{image_id}/file", headers=MEMBER).content == DATA
    assert client.post(f"{CACHE}/clean", headers=ADMIN).status_code == 204
    assert eventually(lambda: cached(client) == ([], []))


def test_who_may(client: TestClient) -> None:
    calls: list[tuple[str, str]] = [("GET", ""), ("DELETE", ""), ("PUT", "/x"), ("DELETE", "/x"), ("POST", "/prune")]
    found: list[Json] = [
        {f"{method} {path}": client.request(method, CACHE + path, headers=MEMBER).status_code}
        for method, path in [*calls, ("POST", "/clean")]
    ]
    assert {status for one in found for status in one.values()} <= {403, 404} and {"GET ": 403} in found
