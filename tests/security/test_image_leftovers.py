"""Images that are gone, closed or somebody else's now: their data, their copies, their tasks and their id (2015-3289, OSSN-0075)."""

from collections.abc import Callable

import pytest
from starlette.testclient import TestClient

from pileus.image.cache.copies import Copies
from pileus.image.drivers.base import DataKey
from pileus.kernel.cloud import Cloud
from tests.image.api.people import ADMIN, IMAGES, MEMBER, OTHER, active, change, make, show, upload
from tests.image.imports.conftest import Web
from tests.image.imports.test_locations import point
from tests.image.imports.walks import ask, stage, tasks

CACHE = "/image/v2/cache"
FIRST, SECOND = b"first" * 1000, b"other" * 1000
GIVEN = "abcdef00-0000-4000-8000-00000000000b"
SECRET = "token=private-of-p1"
Work = Callable[[], int]


@pytest.fixture
def settings() -> str:
    return ""


def copied(client: TestClient, cloud: Cloud, image_id: str) -> None:
    assert client.put(f"{CACHE}/{image_id}", headers=ADMIN).status_code == 202
    cloud.part(Copies).make()
    assert [one["image_id"] for one in client.get(CACHE, headers=ADMIN).json()["cached_images"]] == [image_id]


@pytest.mark.parametrize("part", ["", "bytes=0-", "bytes=-5", "bytes=5-9"])
def test_a_copy_is_read_by_those_who_may_read_the_image(client: TestClient, cloud: Cloud, part: str) -> None:
    image = active(client, FIRST, visibility="community")["id"]
    copied(client, cloud, image)

    def read(who: dict[str, str]) -> int:
        headers = who | ({"range": part} if part else {})
        return client.get(f"{IMAGES}/{image}/file", headers=headers).status_code

    assert read(OTHER) == read(MEMBER) == (206 if part else 200)
    assert change(client, image, {"op": "replace", "path": "/visibility", "value": "private"}) == 200
    assert read(OTHER) == 404
    assert client.post(f"{IMAGES}/{image}/actions/deactivate", headers=MEMBER).status_code == 204
    assert read(MEMBER) == 403 and read(OTHER) == 404
    assert client.delete(f"{IMAGES}/{image}", headers=MEMBER).status_code == 204
    assert read(MEMBER) == read(OTHER) == read(ADMIN) == 404


def test_an_id_that_is_used_again_has_nothing_of_its_past(
    client: TestClient, cloud: Cloud, web: Web, work: Work
) -> None:
    """Neither the tasks, with addresses and users in them, nor the data, nor the copy on this host."""
    make(client, id=GIVEN)
    assert ask(client, GIVEN, "web-download", uri=web.url(f"/disk?{SECRET}", FIRST)) == 202 and work() == 1
    copied(client, cloud, GIVEN)
    assert client.delete(f"{IMAGES}/{GIVEN}", headers=MEMBER).status_code == 204
    make(client, OTHER, id=GIVEN)
    assert tasks(client, GIVEN, OTHER) == []
    assert client.get(f"{IMAGES}/{GIVEN}/file", headers=OTHER).status_code == 204
    assert client.get(CACHE, headers=ADMIN).json()["cached_images"] == []
    assert upload(client, GIVEN, SECOND, OTHER) == 204
    assert client.get(f"{IMAGES}/{GIVEN}/file", headers=OTHER).content == SECOND
    copied(client, cloud, GIVEN)
    assert client.get(f"{IMAGES}/{GIVEN}/file", headers=OTHER).content == SECOND


def test_a_copy_that_was_begun_for_an_earlier_image(
    client: TestClient, cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was read while that image was there, and is whole when another has its id."""
    make(client, id=GIVEN)
    upload(client, GIVEN, FIRST)
    client.put(f"{CACHE}/{GIVEN}", headers=ADMIN)
    copy = Copies._copy

    def slow(self: Copies, part: DataKey) -> object:
        found = copy(self, part)
        assert client.delete(f"{IMAGES}/{GIVEN}", headers=MEMBER).status_code == 204
        make(client, OTHER, id=GIVEN)
        assert upload(client, GIVEN, SECOND, OTHER) == 204
        assert client.put(f"{CACHE}/{GIVEN}", headers=ADMIN).status_code == 202
        return found

    with monkeypatch.context() as patched:
        patched.setattr(Copies, "_copy", slow)
        cloud.part(Copies).make()
    assert client.get(f"{IMAGES}/{GIVEN}/file", headers=OTHER).content == SECOND
    cloud.part(Copies).make()
    assert client.get(f"{IMAGES}/{GIVEN}/file", headers=OTHER).content == SECOND


def test_a_task_of_an_earlier_image_brings_no_data(client: TestClient, cloud: Cloud, web: Web, work: Work) -> None:
    make(client, id=GIVEN)
    assert ask(client, GIVEN, "web-download", uri=web.url("/evil", FIRST)) == 202
    assert client.delete(f"{IMAGES}/{GIVEN}", headers=MEMBER).status_code == 204
    make(client, OTHER, id=GIVEN)
    assert point(client, GIVEN, web.url("/mine", SECOND), OTHER) == 202
    work()
    assert client.get(f"{IMAGES}/{GIVEN}/file", headers=OTHER).content == SECOND
    assert [task["status"] for task in tasks(client, GIVEN, OTHER)] == ["success"]
    assert "/evil" not in web.asked


def test_nobody_imports_what_another_staged(client: TestClient, work: Work) -> None:
    theirs, own = make(client)["id"], make(client, OTHER)["id"]
    assert stage(client, theirs, FIRST) == 204
    assert ask(client, theirs, "glance-direct", OTHER) == 404
    assert ask(client, own, "glance-direct", OTHER) == 409, "nothing is staged for that one"
    for where in (f"file:///image-staging/{theirs}", "file:///etc/passwd"):
        assert point(client, own, where, OTHER) == 400
        assert ask(client, own, "web-download", OTHER, uri=where) == 400
    assert work() == 0 and show(client, theirs)["status"] == "uploading"
    assert client.delete(f"{IMAGES}/{theirs}", headers=MEMBER).status_code == 204


class TestDelayedDeletion:
    @pytest.fixture
    def settings(self) -> str:
        return "delayed_delete = true\nscrub_time = 3600"

    def test_nobody_meets_it_any_more(self, client: TestClient, cloud: Cloud, web: Web, work: Work) -> None:
        image = make(client, id=GIVEN, visibility="community")["id"]
        assert upload(client, image, FIRST) == 204
        copied(client, cloud, image)
        assert client.delete(f"{IMAGES}/{image}", headers=MEMBER).status_code == 204
        here = f"{IMAGES}/{image}"
        for who in (MEMBER, OTHER, ADMIN):
            for path in (here, f"{here}/file", f"{here}/tasks", f"{here}/members"):
                assert client.get(path, headers=who).status_code == 404, path
            assert client.delete(here, headers=who).status_code == 404
            assert upload(client, image, b"x", who) == stage(client, image, b"x", who) == 404
            assert ask(client, image, "copy-image", who, all_stores=True) == 404
            assert point(client, image, web.url("/x"), who) == 404
            assert client.post(f"{here}/actions/reactivate", headers=who).status_code == 404
            assert client.put(f"{CACHE}/{image}", headers=who).status_code == 404
            assert client.get(f"{IMAGES}?id=in:{image}&visibility=all", headers=who).json()["images"] == []
            assert client.get(f"{IMAGES}?status=pending_delete", headers=who).json()["images"] == []
            assert client.get(f"{IMAGES}?marker={image}", headers=who).status_code == 400
            assert client.post(IMAGES, json={"id": image}, headers=who).status_code == 409
        assert client.delete(f"/image/v2/stores/file/{image}", headers=ADMIN).status_code == 404
