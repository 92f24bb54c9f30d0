"""What the service shows is as its schemas say."""

from pathlib import Path
from typing import Any

import pytest
from jsonschema_rs import validator_for
from starlette.testclient import TestClient

from pileus.kernel.http.app import App
from pileus.kernel.http.call import Json
from tests.cloud import cloud_of
from tests.image.api.conftest import IMAGE
from tests.image.api.people import ADMIN, IMAGES, MEMBER, active, make, show

PROPERTIES: dict[str, Any] = {"kernel_id": None, "os_distro": "debian", "hw_disk_bus": "virtio"}


def described(client: TestClient, name: str) -> Json:
    reply = client.get(f"/image/v2/schemas/{name}", headers=MEMBER)
    assert reply.status_code == 200, reply.text
    schema: Json = reply.json()
    return schema


def check(schema: Json, shown: Json, *, besides: set[str] | None = None) -> None:
    """Every field has its description, and the value that it promises."""
    validator_for(schema).validate(shown)
    assert shown.keys() - (besides or set()) <= schema["properties"].keys()


def test_images(client: TestClient) -> None:
    one, item = described(client, "image"), described(client, "images")
    queued = make(client, tags=["a"], **PROPERTIES)
    full = active(client, b"some bytes", visibility="private", **PROPERTIES)
    for image in (queued, full, show(client, queued["id"])):
        check(one, image, besides={"hw_disk_bus"})
        check(described(client, image["schema"].rpartition("/")[2]), image, besides={"hw_disk_bus"})
    check(item, client.get(f"{IMAGES}?limit=1", headers=MEMBER).json())
    assert item["properties"]["images"]["items"] == one


def test_images_whose_places_are_shown(tmp_path: Path) -> None:
    file = tmp_path / "pileus.toml"
    shown = "show_multiple_locations = true\nshow_image_direct_url = true"
    file.write_text(f"[image]\n{shown}\n[image.stores.a]\n[image.stores.b]\n")
    with cloud_of(tmp_path, IMAGE, file=file) as cloud, TestClient(App(cloud, [IMAGE])) as client:
        image = active(client)
        assert {"stores", "locations", "direct_url"} <= image.keys() and image["locations"]
        check(described(client, "image"), image)
        check(described(client, "image"), make(client))


def test_members(client: TestClient) -> None:
    image = make(client)
    path = f"{IMAGES}/{image['id']}/members"
    check(described(client, "member"), client.post(path, json={"member": "p2"}, headers=MEMBER).json())
    check(described(client, "members"), client.get(path, headers=MEMBER).json())


def test_tasks(client: TestClient) -> None:
    check(described(client, "tasks"), client.get("/image/v2/tasks", headers=ADMIN).json())


@pytest.mark.parametrize("name", ["image", "images", "member", "members", "task", "tasks"])
def test_who_has_no_token_sees_none(client: TestClient, name: str) -> None:
    assert client.get(f"/image/v2/schemas/{name}").status_code == 401
