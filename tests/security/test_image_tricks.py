"""Images: what a client names stays a name, what the cloud decides stays the cloud's (2014-9493, 2015-5251, 2016-0757)."""

from pathlib import Path
from typing import Any

import pytest

from tests.security.world import World

PATCH = {"content_type": "application/openstack-images-v2.1-json-patch"}
PATHS = ("../../evil", "/etc/passwd", "..", "%2e%2e%2fevil", "a/b", "\x00", "é" * 36, "x" * 36)


@pytest.fixture(autouse=True)
def unchanged(world: World) -> Any:
    with world.taken_back():
        yield


def files(world: World) -> set[Path]:
    return {path for path in world.folder.rglob("*") if path.is_file() and "db" not in path.parts}


@pytest.mark.parametrize("name", PATHS)
def test_ids_name_no_files(world: World, name: str) -> None:
    before = files(world)
    assert world.ask("member", "POST", "/image/v2/images", {"name": "x", "id": name}).status in (400, 403)
    made = world.must("member", "POST", "/image/v2/images", {"name": name, "tags": [name[:9]], "disk_format": "raw"})
    assert made["name"] == name
    assert world.ask(
        "member", "PUT", f"/image/v2/images/{name}/file", b"x", content_type="application/octet-stream"
    ).status in (404, 405)
    assert world.ask("member", "GET", f"/image/v2/images/{name}/file").status in (404, 405)
    assert files(world) == before


def test_an_id_that_is_taken_is_refused(world: World) -> None:
    """Also that of an image which the caller may not see: it must not be replaced, nor its data be taken over."""
    for owner in ("red", "blue"):
        wish = {"name": "x", "id": world.ids[owner]["image"], "disk_format": "raw", "container_format": "bare"}
        assert world.ask("member", "POST", "/image/v2/images", wish).status == 409
        assert world.ask("member", "POST", "/image/v2/images", wish | {"id": wish["id"].upper()}).status in (
            201,
            400,
            409,
        )
    assert world.must("other", "GET", f"/image/v2/images/{world.ids['blue']['image']}")["name"] == "blue-image"


FIXED = ("status", "checksum", "size", "virtual_size", "os_hash_algo", "os_hash_value", "created_at", "updated_at", "file",
         "self", "schema", "locations", "direct_url", "deleted", "stores", "os_glance_importing_to_stores",
         "os_glance_failed_import", "os_glance_stage_host", "os_glance_x", "location")  # fmt: skip


@pytest.mark.parametrize("name", FIXED)
def test_what_the_cloud_decides_is_not_set(world: World, name: str) -> None:
    image = f"/image/v2/images/{world.ids['red']['image']}"
    value: object = [{"url": "file:///etc/passwd", "metadata": {}}] if name == "locations" else "active"
    assert world.ask("member", "POST", "/image/v2/images", {"name": "x", name: value}).status in (400, 403)
    for verb in ("add", "replace", "remove"):
        change = [{"op": verb, "path": f"/{name}", "value": value}]
        status = world.ask("member", "PATCH", image, change, **PATCH).status
        assert status in (400, 403, 409), verb
    assert world.ask("admin", "PATCH", image, [{"op": "add", "path": f"/{name}", "value": value}], **PATCH).status in (
        200, 400, 403
    )  # fmt: skip
    shown = world.must("member", "GET", image)
    assert shown["status"] == "active" and shown["size"] == 1024


@pytest.mark.parametrize(
    "path", ["/a/b", "/locations/-", "/tags/0", "name", "", "/", "//", "/~2", "/__class__/x", "/extra/x"]
)
def test_pointers_name_one_attribute(world: World, path: str) -> None:
    image = f"/image/v2/images/{world.ids['red']['image']}"
    assert world.ask("member", "PATCH", image, [{"op": "add", "path": path, "value": "x"}], **PATCH).status in (
        400,
        403,
    )


def test_data_is_given_once(world: World) -> None:
    image = f"/image/v2/images/{world.ids['red']['image']}"
    octets = {"content_type": "application/octet-stream"}
    assert world.ask("member", "PUT", f"{image}/file", b"other", **octets).status == 409
    world.must("member", "POST", f"{image}/actions/deactivate")
    for name, value in (("disk_format", "qcow2"), ("container_format", "ami")):
        change = [{"op": "replace", "path": f"/{name}", "value": value}]
        assert world.ask("member", "PATCH", image, change, **PATCH).status in (400, 403), name


@pytest.mark.parametrize("visibility", ["public", "community"])
def test_members_do_not_publish(world: World, visibility: str) -> None:
    """Only administrators make an image public; a community image takes a member's role in its own project."""
    wish = {"name": "x", "visibility": visibility}
    assert world.ask("reader", "POST", "/image/v2/images", wish).status == 403
    image = f"/image/v2/images/{world.ids['red']['image']}"
    change = [{"op": "replace", "path": "/visibility", "value": visibility}]
    expected = 403 if visibility == "public" else 200
    assert world.ask("member", "PATCH", image, change, **PATCH).status == expected
    assert world.ask("manager", "PATCH", image, change, **PATCH).status == expected
    lent = f"/image/v2/images/{world.ids['red']['image_to_other']}"
    assert world.ask("other", "PATCH", lent, change, **PATCH).status == 403


def test_who_was_lent_an_image_lends_it_to_nobody(world: World) -> None:
    lent = f"/image/v2/images/{world.ids['red']['image_to_other']}"
    assert world.ask("other", "POST", f"{lent}/members", {"member": "third"}).status == 403
    own = world.ids["blue"]["project"]
    assert world.ask("member", "PUT", f"{lent}/members/{own}", {"status": "accepted"}).status == 403
    assert world.ask("other", "DELETE", f"{lent}/members/{own}").status == 403
    listed = {image["id"] for image in world.must("other", "GET", "/image/v2/images")["images"]}
    assert world.ids["red"]["image_to_other"] not in listed, "shown in lists only once it is accepted"
