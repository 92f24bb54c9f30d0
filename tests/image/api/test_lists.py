"""Lists of images: what is in them for whom, filters, order, pages."""

import pytest
from starlette.testclient import TestClient

from tests.image.api.people import ADMIN, IMAGES, MEMBER, OTHER, READER, active, make


def names(client: TestClient, query: str = "", who: dict[str, str] = READER) -> list[str]:
    reply = client.get(f"{IMAGES}?{query}", headers=who)
    assert reply.status_code == 200, reply.text
    return sorted(image["name"] for image in reply.json()["images"])


def test_whose_images_are_listed(client: TestClient) -> None:
    make(client, name="private", visibility="private")
    make(client, name="community", visibility="community")
    make(client, name="hidden", os_hidden=True)
    make(client, ADMIN, name="public", visibility="public")
    make(client, OTHER, name="theirs", visibility="private")
    assert names(client) == ["community", "private", "public"]
    assert names(client, who=OTHER) == ["public", "theirs"]
    assert names(client, "visibility=community", OTHER) == ["community"]
    assert names(client, "visibility=all", OTHER) == ["community", "public", "theirs"]
    assert names(client, "os_hidden=true") == ["hidden"]
    assert names(client, "visibility=private") == ["private"]
    assert names(client, "owner=p1", OTHER) == []
    assert names(client, who=ADMIN) == ["private", "public", "theirs"]


def test_filters(client: TestClient) -> None:
    active(client, b"x" * 100, name="small", tags=["a", "b"], hw_disk_bus="virtio")
    active(client, b"y" * 1000, name="big", tags=["b"], min_ram=64, protected=True)
    make(client, name="a,b", disk_format="qcow2", container_format="ovf", min_disk=1)
    for query, wanted in {
        "name=small": ["small"],
        "name=in:small,big": ["big", "small"],
        'name=in:"a,b",big': ["a,b", "big"],
        "status=queued": ["a,b"],
        "status=in:active,queued": ["a,b", "big", "small"],
        "disk_format=in:qcow2,vmdk": ["a,b"],
        "container_format=bare": ["big", "small"],
        "size_min=101": ["big"],
        "size_max=100": ["small"],
        "size=1000": ["big"],
        "tag=b": ["big", "small"],
        "tag=b&tag=a": ["small"],
        "hw_disk_bus=virtio": ["small"],
        "hw_disk_bus=ide": [],
        "no_such_property=x": [],
        "protected=true": ["big"],
        "min_ram=64": ["big"],
        "min_disk=1": ["a,b"],
        "owner=p1": ["a,b", "big", "small"],
        "created_at=gt:2020-01-01T00:00:00Z": ["a,b", "big", "small"],
        "created_at=lte:2020-01-01T00:00:00Z": [],
        "updated_at=neq:2020-01-01T00:00:00": ["a,b", "big", "small"],
    }.items():
        assert names(client, query) == wanted, query


def test_a_time_is_compared_as_it_is_shown(client: TestClient) -> None:
    when = make(client, name="now")["created_at"]
    assert names(client, f"created_at={when}") == ["now"]
    assert names(client, f"created_at=gte:{when}") == names(client, f"created_at=lte:{when}") == ["now"]
    assert names(client, f"created_at=gt:{when}") == names(client, f"created_at=lt:{when}") == []


@pytest.mark.parametrize(
    "query",
    [
        "limit=-1",
        "limit=x",
        "marker=nothing",
        "sort_key=secret",
        "sort_key=name&sort_dir=up",
        "sort=name:up",
        "created_at=yesterday",
        "created_at=gt:",
        "size_min=-5",
        "size_max=x",
        "visibility=secret",
        "member_status=maybe",
        "os_hidden=maybe",
        'name=in:"a',
    ],
)
def test_bad_queries(client: TestClient, query: str) -> None:
    reply = client.get(f"{IMAGES}?{query}", headers=MEMBER)
    assert reply.status_code == 400, reply.text
    assert reply.json()["code"] == "400 Bad Request"


def test_a_marker_must_be_an_image_that_the_caller_may_see(client: TestClient) -> None:
    secret = make(client, OTHER, visibility="private")["id"]
    assert client.get(f"{IMAGES}?marker={secret}", headers=MEMBER).status_code == 400


@pytest.mark.parametrize("key", ["name", "size", "disk_format", "created_at", "id"])
@pytest.mark.parametrize("direction", ["asc", "desc"])
def test_pages_cover_every_image_once(client: TestClient, key: str, direction: str) -> None:
    """Names and sizes that are not there yet sort as well."""
    for name, data in (("b", b"123"), (None, b"1"), ("a", b""), (None, b""), ("c", b"12345")):
        image = make(client, name=name) if data else make(client, name=name, disk_format=None)
        if data:
            client.put(
                f"{IMAGES}/{image['id']}/file",
                content=data,
                headers=MEMBER | {"content-type": "application/octet-stream"},
            )
    everything = client.get(f"{IMAGES}?sort_key={key}&sort_dir={direction}", headers=MEMBER).json()["images"]
    seen, path = [], f"/v2/images?limit=2&sort={key}:{direction}"
    while path:
        page = client.get("/image" + path, headers=MEMBER).json()
        assert (
            len(page["images"]) <= 2
            and "marker" not in page["first"]
            and page["first"].startswith("/v2/images?limit=2")
        )
        seen += [image["id"] for image in page["images"]]
        path = page.get("next")
    assert seen == [image["id"] for image in everything] and len(seen) == 5


def test_order(client: TestClient) -> None:
    for name in ("b", "c", "a"):
        make(client, name=name)
    listed = client.get(f"{IMAGES}?sort_key=name", headers=MEMBER).json()
    assert [image["name"] for image in listed["images"]] == ["c", "b", "a"]  # descending unless asked otherwise
    assert listed["schema"] == "/v2/schemas/images" and "next" not in listed
    assert client.get(f"{IMAGES}?limit=0", headers=MEMBER).json()["images"] == []
