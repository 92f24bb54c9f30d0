"""Records of images: create, show, change, delete, and who may."""

import pytest
from starlette.testclient import TestClient

from pileus.kernel.cloud import Cloud
from pileus.kernel.http.call import Json
from tests.image.api.people import (
    ADMIN,
    IMAGES,
    MEMBER,
    OTHER,
    PATCH,
    READER,
    active,
    change,
    eventually,
    make,
    show,
    stored,
    upload,
)

ID = "11111111-2222-3333-4444-555555555555"


def titles(reply: Json) -> tuple[str, str]:
    assert set(reply) == {"message", "code", "title"} and reply["message"]
    return reply["code"], reply["title"]


def test_a_new_image_has_every_documented_attribute(client: TestClient) -> None:
    body: Json = {
        "id": ID,
        "name": "Debian 12",
        "visibility": "private",
        "protected": False,
        "os_hidden": False,
        "disk_format": "qcow2",
        "container_format": "bare",
        "min_disk": 3,
        "min_ram": 512,
        "tags": ["b", "a", "b"],
        "hw_disk_bus": "virtio",
        "kernel_id": None,
    }
    reply = client.post(IMAGES, json=body, headers=MEMBER)
    assert reply.status_code == 201
    image = reply.json()
    assert reply.headers["location"].endswith(f"/image/v2/images/{ID}")
    assert {name: image[name] for name in body if name != "tags"} == {k: v for k, v in body.items() if k != "tags"}
    assert image["tags"] == ["a", "b"]
    assert image["status"] == "queued" and image["owner"] == "p1"
    for name in ("checksum", "os_hash_algo", "os_hash_value", "size", "virtual_size"):
        assert image[name] is None
    assert image["file"] == f"/v2/images/{ID}/file" and image["self"] == f"/v2/images/{ID}"
    assert image["schema"] == "/v2/schemas/image" and image["created_at"].endswith("Z")
    assert show(client, ID, READER) == image


def test_defaults(client: TestClient) -> None:
    image = client.post(IMAGES, json={}, headers=MEMBER).json()
    assert (image["name"], image["visibility"], image["protected"], image["os_hidden"]) == (
        None,
        "shared",
        False,
        False,
    )
    assert (image["min_disk"], image["min_ram"], image["tags"], image["disk_format"]) == (0, 0, [], None)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"id": "not-a-uuid"}, 400),
        ({"name": 5}, 400),
        ({"name": "x" * 256}, 400),
        ({"disk_format": "floppy"}, 400),
        ({"container_format": "box"}, 400),
        ({"container_format": "ami", "disk_format": "raw"}, 400),
        ({"visibility": "secret"}, 400),
        ({"protected": "true"}, 400),
        ({"min_disk": -1}, 400),
        ({"min_ram": "5"}, 400),
        ({"min_ram": 2**31}, 400),
        ({"tags": "a"}, 400),
        ({"tags": ["x" * 256]}, 400),
        ({"hw_disk_bus": 5}, 400),
        ({"hw_disk_bus": None}, 400),
        ({"hw_disk_bus": {"a": "b"}}, 400),
        ({"description": "é" * 32_768}, 400),
        ({"kernel_id": "vmlinuz"}, 400),
        ([], 400),
        ({"status": "active"}, 403),
        ({"checksum": "0"}, 403),
        ({"size": 5}, 403),
        ({"locations": []}, 403),
        ({"os_glance_importing": "x"}, 403),
        ({"owner": "p2"}, 403),
        ({"visibility": "public"}, 403),
        ({"tags": [str(n) for n in range(129)]}, 413),
        ({f"p{n}": "" for n in range(129)}, 413),
    ],
)
def test_what_cannot_be_created(client: TestClient, body: object, status: int) -> None:
    reply = client.post(IMAGES, json=body, headers=MEMBER)
    assert reply.status_code == status, reply.text
    assert titles(reply.json())[0].startswith(str(status))
    assert client.get(IMAGES, headers=ADMIN).json()["images"] == []


def test_errors_have_the_image_apis_form(client: TestClient) -> None:
    reply = client.get(f"{IMAGES}/{ID}", headers=MEMBER)
    assert titles(reply.json()) == ("404 Not Found", "Not Found")
    assert client.get(IMAGES).status_code == 401


def test_an_id_is_taken_once(client: TestClient) -> None:
    make(client, id=ID, visibility="private")
    assert client.post(IMAGES, json={"id": ID}, headers=OTHER).status_code == 409
    assert show(client, ID)["owner"] == "p1"


def test_who_sees_and_changes_what(client: TestClient) -> None:
    private = make(client, visibility="private")["id"]
    public = make(client, ADMIN, visibility="public")["id"]
    community = make(client, visibility="community")["id"]
    for image_id, seen in ((private, 404), (public, 200), (community, 200)):
        assert client.get(f"{IMAGES}/{image_id}", headers=OTHER).status_code == seen
        assert client.delete(f"{IMAGES}/{image_id}", headers=OTHER).status_code == (404 if seen == 404 else 403)
        name = {"op": "replace", "path": "/name", "value": "mine"}
        assert change(client, image_id, name, who=OTHER) == (404 if seen == 404 else 403)
        assert upload(client, image_id, b"x", OTHER) == (404 if seen == 404 else 403)
    assert client.post(IMAGES, json={}, headers=READER).status_code == 403
    assert client.delete(f"{IMAGES}/{private}", headers=READER).status_code == 403
    assert show(client, private, ADMIN)["name"] == "disk"


def test_patch(client: TestClient) -> None:
    image_id = make(client, colour="red", shape="round")["id"]
    status = change(
        client,
        image_id,
        {"op": "replace", "path": "/name", "value": "new"},
        {"op": "replace", "path": "/colour", "value": "blue"},
        {"op": "remove", "path": "/shape"},
        {"op": "add", "path": "/a~1b~0c", "value": "odd"},
        {"op": "add", "path": "/tags", "value": ["x", "y"]},
        {"op": "replace", "path": "/min_disk", "value": 2},
        {"op": "replace", "path": "/disk_format", "value": "qcow2"},
    )
    assert status == 200
    image = show(client, image_id)
    assert (image["name"], image["colour"], image["a/b~c"], image["tags"]) == ("new", "blue", "odd", ["x", "y"])
    assert (image["min_disk"], image["disk_format"]) == (2, "qcow2") and "shape" not in image


@pytest.mark.parametrize(
    ("operation", "status"),
    [
        ({"op": "replace", "path": "/status", "value": "active"}, 403),
        ({"op": "replace", "path": "/id", "value": ID}, 403),
        ({"op": "add", "path": "/size", "value": 5}, 403),
        ({"op": "add", "path": "/os_glance_x", "value": "5"}, 403),
        ({"op": "remove", "path": "/name"}, 403),
        ({"op": "replace", "path": "/owner", "value": "p2"}, 403),
        ({"op": "replace", "path": "/visibility", "value": "public"}, 403),
        ({"op": "replace", "path": "/disk_format", "value": "qcow2"}, 403),
        ({"op": "add", "path": "/colour", "value": "blue"}, 409),
        ({"op": "replace", "path": "/nothing", "value": "x"}, 409),
        ({"op": "remove", "path": "/nothing"}, 409),
        ({"op": "replace", "path": "/min_disk", "value": "2"}, 400),
        ({"op": "replace", "path": "/colour", "value": 2}, 400),
        ({"op": "replace", "path": "/colour"}, 400),
        ({"op": "move", "path": "/colour", "value": "x"}, 400),
        ({"op": "replace", "path": "colour", "value": "x"}, 400),
        ({"op": "replace", "path": "/tags/0", "value": "x"}, 400),
        ({"op": "replace", "path": "/a~2", "value": "x"}, 400),
        ("replace", 400),
    ],
)
def test_a_bad_patch_changes_nothing(client: TestClient, operation: Json, status: int) -> None:
    image = active(client, colour="red")
    good: Json = {"op": "replace", "path": "/name", "value": "changed"}
    reply = client.patch(f"{IMAGES}/{image['id']}", json=[good, operation], headers=MEMBER | PATCH)
    assert reply.status_code == status, reply.text
    titles(reply.json())
    assert show(client, image["id"]) == image


def test_the_old_patch_and_other_media_types(client: TestClient) -> None:
    image_id = make(client)["id"]
    old = MEMBER | {"content-type": "application/openstack-images-v2.0-json-patch"}
    path = f"{IMAGES}/{image_id}"
    assert client.patch(path, json=[{"replace": "/name", "value": "old way"}], headers=old).json()["name"] == "old way"
    assert client.patch(path, json=[], headers=MEMBER).status_code == 415
    assert client.patch(path, json={}, headers=MEMBER | PATCH).status_code == 400


def test_an_administrator_gives_an_image_away(client: TestClient) -> None:
    image_id = make(client, visibility="private")["id"]
    assert change(client, image_id, {"op": "replace", "path": "/owner", "value": "p2"}, who=ADMIN) == 200
    assert show(client, image_id, OTHER)["owner"] == "p2"
    assert client.get(f"{IMAGES}/{image_id}", headers=MEMBER).status_code == 404


def test_protected_images_stay_and_deleted_ones_leave_nothing(client: TestClient, cloud: Cloud) -> None:
    image_id = active(client, protected=True)["id"]
    path = f"{IMAGES}/{image_id}"
    assert client.delete(path, headers=ADMIN).status_code == 403
    assert len(stored(cloud)) == 1
    assert change(client, image_id, {"op": "replace", "path": "/protected", "value": False}) == 200
    assert client.delete(path, headers=MEMBER).status_code == 204
    for verb in ("GET", "DELETE"):
        assert client.request(verb, path, headers=MEMBER).status_code == 404
        assert client.request(verb, f"{IMAGES}/", headers=MEMBER).status_code == 404
    assert eventually(lambda: stored(cloud) == [])


def test_deactivated_data_are_for_administrators(client: TestClient) -> None:
    queued, image = make(client)["id"], active(client)["id"]
    actions = f"{IMAGES}/{{}}/actions/{{}}"
    assert client.post(actions.format(queued, "deactivate"), headers=MEMBER).status_code == 403
    assert client.post(actions.format(queued, "reactivate"), headers=MEMBER).status_code == 403
    assert client.post(actions.format(image, "deactivate"), headers=OTHER).status_code == 404
    for _ in range(2):
        assert client.post(actions.format(image, "deactivate"), headers=MEMBER).status_code == 204
    assert show(client, image)["status"] == "deactivated"
    assert client.get(f"{IMAGES}/{image}/file", headers=MEMBER).status_code == 403
    assert client.get(f"{IMAGES}/{image}/file", headers=ADMIN).content == b"bytes"
    assert upload(client, image, b"other") == 409
    assert client.post(actions.format(image, "reactivate"), headers=MEMBER).status_code == 204
    assert client.get(f"{IMAGES}/{image}/file", headers=MEMBER).content == b"bytes"


def test_tags(client: TestClient) -> None:
    image_id = make(client)["id"]
    tag = f"{IMAGES}/{image_id}/tags/"
    for name in ("b", "a", "a"):
        assert client.put(tag + name, headers=MEMBER).status_code == 204
    assert show(client, image_id)["tags"] == ["a", "b"]
    assert client.put(tag + "x" * 256, headers=MEMBER).status_code == 400
    assert client.put(tag + "c", headers=READER).status_code == 403
    assert client.delete(tag + "a", headers=MEMBER).status_code == 204
    assert client.delete(tag + "a", headers=MEMBER).status_code == 404
    assert client.put(f"{IMAGES}/{ID}/tags/x", headers=MEMBER).status_code == 404
    assert show(client, image_id)["tags"] == ["b"]
