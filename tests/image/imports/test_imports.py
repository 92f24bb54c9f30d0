"""Importing by each method: from asking to the image that is there, and back when it fails."""

import hashlib
from collections.abc import Callable
from typing import Any

import pytest
from starlette.testclient import TestClient

from pileus.image.stores.registry import STAGING
from pileus.kernel.cloud import Cloud
from tests.image.api.people import ADMIN, IMAGES, MEMBER, OTHER, READER, active, make, show
from tests.image.formats.disks import qcow2
from tests.image.imports.conftest import Web
from tests.image.imports.walks import ask, files, stage, tasks

DATA = b"guest" * 300_000
Work = Callable[[], int]


def test_staged_data_becomes_the_image(client: TestClient, cloud: Cloud, work: Work) -> None:
    image_id = make(client)["id"]
    assert stage(client, image_id, DATA) == 204
    staged = show(client, image_id)
    assert (staged["status"], staged["size"], staged["checksum"]) == ("uploading", len(DATA), None)
    assert client.get(f"{IMAGES}/{image_id}/file", headers=MEMBER).status_code == 204
    assert ask(client, image_id, "glance-direct") == 202
    pending = show(client, image_id)
    assert (pending["status"], pending["os_glance_importing_to_stores"]) == ("importing", "file")
    assert work() == 1
    image = show(client, image_id)
    assert (image["status"], image["stores"], image["size"]) == ("active", "file", len(DATA))
    assert image["os_hash_value"] == hashlib.sha512(DATA).hexdigest()
    assert (image["os_glance_importing_to_stores"], image["os_glance_failed_import"]) == ("", "")
    assert "os_glance_import_task" not in image
    assert client.get(f"{IMAGES}/{image_id}/file", headers=MEMBER).content == DATA
    [task] = tasks(client, image_id)
    assert (task["status"], task["type"], task["image_id"]) == ("success", "api_image_import", image_id)
    assert task["input"]["import_req"]["method"]["name"] == "glance-direct" and task["expires_at"]
    assert files(cloud) == {"file": 1, "second": 0, STAGING: 0}
    assert work() == 0


def test_data_from_the_web(client: TestClient, cloud: Cloud, web: Web, work: Work) -> None:
    image_id = make(client, disk_format="qcow2")["id"]
    data = qcow2() + bytes(1 << 20)
    assert ask(client, image_id, "web-download", uri=web.url("/disk.qcow2", data)) == 202
    assert work() == 1
    image = show(client, image_id)
    assert (image["status"], image["size"], image["checksum"]) == (
        "active",
        len(data),
        hashlib.md5(data).hexdigest(),
    )
    assert files(cloud) == {"file": 1, "second": 0, STAGING: 0}


def test_into_all_stores(client: TestClient, cloud: Cloud, work: Work) -> None:
    image_id = make(client)["id"]
    stage(client, image_id, DATA)
    assert ask(client, image_id, "glance-direct", all_stores=True) == 202
    assert show(client, image_id)["os_glance_importing_to_stores"] == "file,second"
    work()
    assert show(client, image_id)["stores"] == "file,second"
    assert files(cloud) == {"file": 1, "second": 1, STAGING: 0}


def test_copies_and_their_removal(client: TestClient, cloud: Cloud, work: Work) -> None:
    image_id = active(client, DATA)["id"]
    assert ask(client, image_id, "copy-image", stores=["second"]) == 403
    assert ask(client, image_id, "copy-image", ADMIN, stores=["second"]) == 202
    assert ask(client, image_id, "copy-image", ADMIN, stores=["second"]) == 409
    assert client.delete(f"/image/v2/stores/file/{image_id}", headers=ADMIN).status_code == 409
    assert show(client, image_id)["status"] == "active" and work() == 1
    copied = show(client, image_id)
    assert (copied["stores"], copied["os_glance_importing_to_stores"]) == ("file,second", "")
    assert copied["os_glance_failed_import"] == ""
    assert ask(client, image_id, "copy-image", ADMIN, all_stores=True) == 202 and work() == 1
    assert tasks(client, image_id)[0]["status"] == "success" and files(cloud)["second"] == 1
    for path, status in (("nowhere", 404), ("web", 404), ("file", 204), ("file", 404), ("second", 403)):
        assert client.delete(f"/image/v2/stores/{path}/{image_id}", headers=ADMIN).status_code == status
    for who, status in ((OTHER, 404), (MEMBER, 403)):
        assert client.delete(f"/image/v2/stores/second/{image_id}", headers=who).status_code == status
    assert show(client, image_id)["stores"] == "second"
    assert client.get(f"{IMAGES}/{image_id}/file", headers=MEMBER).content == DATA


@pytest.mark.parametrize("path", ["/nothing", "/lies"])
def test_what_fails_leaves_the_image_queued(client: TestClient, cloud: Cloud, web: Web, work: Work, path: str) -> None:
    image_id = make(client, disk_format="qcow2")["id"]
    web.pages["/lies"] = DATA
    assert ask(client, image_id, "web-download", uri=web.url(path)) == 202
    work()
    image, [task] = show(client, image_id), tasks(client, image_id)
    assert (image["status"], image["size"], image["os_glance_failed_import"]) == ("queued", None, "file")
    assert task["status"] == "failure" and task["message"]
    assert files(cloud) == {"file": 0, "second": 0, STAGING: 0}
    web.pages[path] = qcow2()
    assert ask(client, image_id, "web-download", uri=web.url(path)) == 202 and work() == 1
    assert show(client, image_id)["status"] == "active" and len(tasks(client, image_id)) == 2


def test_staged_lies_are_found(client: TestClient, cloud: Cloud, work: Work) -> None:
    image_id = make(client, disk_format="raw")["id"]
    assert stage(client, image_id, qcow2()) == 204
    ask(client, image_id, "glance-direct")
    work()
    assert show(client, image_id)["status"] == "queued" and "qcow2" in tasks(client, image_id)[0]["message"]
    assert files(cloud) == {"file": 0, "second": 0, STAGING: 0}


def test_an_image_that_is_deleted_meanwhile(client: TestClient, cloud: Cloud, work: Work) -> None:
    image_id = make(client)["id"]
    stage(client, image_id, DATA)
    ask(client, image_id, "glance-direct")
    assert client.delete(f"{IMAGES}/{image_id}", headers=MEMBER).status_code == 204
    work()
    [task] = client.get("/image/v2/tasks", headers=ADMIN).json()["tasks"]
    assert task["status"] == "failure" and files(cloud) == {"file": 0, "second": 0, STAGING: 0}


@pytest.mark.parametrize(
    ("method", "more", "status"),
    [
        ("glance-direct", {}, 409),  # nothing is staged
        ("copy-image", {}, 403),  # administrators copy
        ("no-such", {}, 400),
        ("web-download", {}, 400),
        ("web-download", {"uri": "file:///etc/passwd"}, 400),
        ("web-download", {"uri": "http://169.254.169.254/"}, 400),
        ("web-download", {"uri": "http://0x7f000001/"}, 400),
        ("web-download", {"uri": "http://example.org/", "stores": ["nowhere"]}, 400),
        ("web-download", {"uri": "http://example.org/", "stores": ["web"]}, 400),
        ("web-download", {"uri": "http://example.org/", "stores": []}, 400),
        ("web-download", {"uri": "http://example.org/", "stores": ["file"], "all_stores": True}, 400),
        ("web-download", {"uri": "http://example.org/", "surprise": True}, 400),
        ("glance-download", {"glance_image_id": "foo"}, 400),
        ("glance-download", {}, 400),
    ],
)
def test_what_is_refused(client: TestClient, method: str, more: dict[str, Any], status: int) -> None:
    image_id = make(client)["id"]
    assert ask(client, image_id, method, **more) == status
    assert show(client, image_id)["status"] == "queued" and tasks(client, image_id) == []


def test_who_may_import(client: TestClient, web: Web) -> None:
    uri = web.url("/x", b"x")
    image_id = make(client, visibility="public", who=ADMIN)["id"]
    assert ask(client, image_id, "web-download", uri=uri) == 403
    mine = make(client)["id"]
    assert ask(client, mine, "web-download", READER, uri=uri) == 403
    assert ask(client, mine, "web-download", OTHER, uri=uri) == 404
    bare = make(client, disk_format=None)["id"]
    assert ask(client, bare, "web-download", uri=uri) == 400
    assert web.asked == []


def test_a_new_image_says_how_data_may_come(client: TestClient) -> None:
    reply = client.post(IMAGES, json={"name": "x"}, headers=MEMBER)
    assert reply.headers["openstack-image-import-methods"] == "glance-direct,web-download,copy-image,glance-download"
    assert reply.headers["openstack-image-store-ids"] == "file,second"


def test_a_region_that_there_is_not(client: TestClient, work: Work) -> None:
    image_id = make(client)["id"]
    there = "36d4b546-64a2-4bb9-bdd0-ba676aa48f2c"
    assert ask(client, image_id, "glance-download", glance_image_id=there, glance_region="nowhere") == 202
    work()
    assert show(client, image_id)["status"] == "queued"
    assert "nowhere" in tasks(client, image_id)[0]["message"]
