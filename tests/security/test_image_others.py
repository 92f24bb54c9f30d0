"""Other people's images in every route that works on data, tasks, places and copies: nothing moves, nothing is told."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.security.world import Json, World

OCTETS = {"content_type": "application/octet-stream"}
WEB = {"method": {"name": "web-download", "uri": "http://example.org/disk"}}
LOCATION = {"url": "http://example.org/disk"}
# How to ask, for an image; and whether one who only sees the image may.
ROUTES: list[tuple[str, str, object, dict[str, str]]] = [
    ("PUT", "/image/v2/images/{}/file", b"x", OCTETS),
    ("PUT", "/image/v2/images/{}/stage", b"x", OCTETS),
    ("POST", "/image/v2/images/{}/import", WEB, {}),
    ("POST", "/image/v2/images/{}/import", {"method": {"name": "glance-direct"}}, {}),
    ("POST", "/image/v2/images/{}/import", {"method": {"name": "copy-image"}, "all_stores": True}, {}),
    ("GET", "/image/v2/images/{}/locations", None, {}),
    ("POST", "/image/v2/images/{}/locations", LOCATION, {}),
    ("GET", "/image/v2/images/{}/tasks", None, {}),
    ("PUT", "/image/v2/cache/{}", None, {}),
    ("DELETE", "/image/v2/cache/{}", None, {}),
    ("DELETE", "/image/v2/stores/file/{}", None, {}),
    ("POST", "/image/v2/images/{}/actions/deactivate", None, {}),
    ("POST", "/image/v2/images/{}/actions/reactivate", None, {}),
    ("PUT", "/image/v2/images/{}/tags/x", None, {}),
    ("DELETE", "/image/v2/images/{}", None, {}),
]


@pytest.fixture(scope="module")
def queued(world: World) -> str:
    """An image of red's that has no data yet."""
    wish = {"name": "x", "disk_format": "raw", "container_format": "bare"}
    made: Json = world.must("member", "POST", "/image/v2/images", wish)
    return str(made["id"])


@pytest.fixture(autouse=True)
def unchanged(world: World, queued: str) -> Iterator[None]:
    with world.taken_back():
        yield


@pytest.mark.parametrize(("method", "path", "body", "headers"), ROUTES)
def test_who_does_not_own_an_image_does_nothing_to_it(
    world: World, method: str, path: str, body: Any, headers: dict[str, str]
) -> None:
    own, lent = world.ids["red"]["image"], world.ids["red"]["image_to_other"]
    nobody = "00000000-0000-4000-8000-000000000000"

    def ask(who: str, image_id: str) -> int:
        return world.ask(who, method, path.format(image_id), body, **headers).status

    assert ask("none", own) == 401
    assert ask("other", lent) == 403, "the image that was lent to them"
    assert ask("reader", own) == 403 or path.endswith("tasks")
    foreign, absent = ask("other", own), ask("other", nobody)
    assert foreign == absent and foreign in (403, 404), "nobody learns that it is there"
    assert world.must("member", "GET", f"/image/v2/images/{own}")["status"] == "active"


@pytest.mark.parametrize("path", ["/image/v2/cache", "/image/v2/tasks", "/image/v2/info/stores/detail"])
@pytest.mark.parametrize("who", ["member", "manager", "reader", "other", "unscoped"])
def test_what_is_the_operators(world: World, path: str, who: str) -> None:
    assert world.ask(who, "GET", path).status in (401, 403)


def test_tasks_are_nobodys_but_by_their_image(world: World, queued: str) -> None:
    """By the id, and as a place to page from."""
    for who in ("member", "other", "reader"):
        for method in ("GET", "DELETE"):
            assert world.ask(who, method, f"/image/v2/tasks/{queued}").status in (403, 404)
        assert world.ask(who, "GET", f"/image/v2/tasks?marker={queued}").status == 403


PAGE = "<script>alert(1)</script>"


@pytest.mark.parametrize(
    ("method", "path", "body", "headers"),
    [
        ("GET", "/image/v2/images/%3Cscript%3Ealert(1)%3C/script%3E", None, {}),
        ("GET", f"/image/v2/images?marker={PAGE}", None, {}),
        ("GET", f"/image/v2/images?sort_key={PAGE}", None, {}),
        ("GET", f"/image/v2/images?visibility={PAGE}", None, {}),
        ("GET", f"/image/v2/images?created_at={PAGE}", None, {}),
        ("POST", "/image/v2/images", {"name": "x", "disk_format": PAGE}, {}),
        ("POST", "/image/v2/images", {"id": PAGE}, {}),
        ("POST", "/image/v2/images/{}/import", {"method": {"name": PAGE}}, {}),
        ("POST", "/image/v2/images/{}/import", {"method": {"name": "web-download", "uri": f"http://{PAGE}/"}}, {}),
        ("POST", "/image/v2/images/{}/import", WEB | {"stores": [PAGE]}, {}),
        ("POST", "/image/v2/images/{}/import", WEB, {"x_image_meta_store": PAGE}),
        ("PUT", "/image/v2/images/{}/file", b"x", OCTETS | {"x_image_meta_store": PAGE}),
        ("POST", "/image/v2/images/{}/locations", {"url": f"http://{PAGE}/"}, {}),
        ("DELETE", "/image/v2/stores/%3Cscript%3E/{}", None, {}),
    ],
)
def test_error_pages_have_no_markup_of_callers(
    world: World, queued: str, method: str, path: str, body: Any, headers: dict[str, str]
) -> None:
    answer = world.ask("admin", method, path.format(queued), body, accept="text/html", **headers)
    assert 400 <= answer.status < 500 and b"<script" not in answer.body.lower(), answer.body
    if answer.body:
        assert answer.headers["content-type"].startswith("text/html")
        assert answer.headers.get("x-content-type-options") == "nosniff"


@pytest.mark.parametrize("store", ["os_glance_staging_store", "os_glance_tasks_store", "nowhere", "../images", "FILE"])
def test_headers_name_no_place_that_is_not_offered(world: World, queued: str, store: str) -> None:
    image = f"/image/v2/images/{queued}"
    given = {"x_image_meta_store": store}
    assert world.ask("member", "PUT", f"{image}/file", b"x", **OCTETS, **given).status == 400
    assert world.ask("member", "POST", f"{image}/import", WEB, **given).status == 400
    assert world.ask("member", "POST", f"{image}/import", WEB | {"stores": [store]}).status == 400
    assert world.must("member", "GET", image)["status"] == "queued"
    assert world.ask("admin", "DELETE", f"/image/v2/stores/{store}/{world.ids['red']['image']}").status == 404
