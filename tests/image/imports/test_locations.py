"""Data at addresses of users: added by a task that looks at it, or in a patch; and who may see where data is."""

import hashlib
from collections.abc import Callable

import pytest
from starlette.testclient import TestClient

from pileus.image.stores.registry import STAGING
from pileus.kernel.cloud import Cloud
from pileus.kernel.http.call import Json
from tests.image.api.people import ADMIN, IMAGES, MEMBER, OTHER, READER, SERVICE, active, change, make, show
from tests.image.formats.disks import qcow2
from tests.image.imports.conftest import Web
from tests.image.imports.walks import files, tasks

DATA = b"guest" * 1000
Work = Callable[[], int]


def point(
    client: TestClient, image_id: str, url: str, who: dict[str, str] = MEMBER, said: dict[str, str] | None = None
) -> int:
    body: Json = {"url": url} | ({"validation_data": said} if said else {})
    return client.post(f"{IMAGES}/{image_id}/locations", json=body, headers=who).status_code


@pytest.mark.parametrize("algorithm", ["sha256", "sha512", ""])
def test_a_location_is_looked_at(client: TestClient, cloud: Cloud, web: Web, work: Work, algorithm: str) -> None:
    image_id, url = make(client)["id"], web.url("/disk", DATA)
    digest = hashlib.new(algorithm or "sha512", DATA).hexdigest()
    said = {"os_hash_algo": algorithm, "os_hash_value": digest} if algorithm else {}
    assert point(client, image_id, url, said=said) == 202
    assert point(client, image_id, url) == 409 and show(client, image_id)["status"] == "importing"
    assert work() == 1
    image = show(client, image_id)
    assert (image["status"], image["stores"], image["size"]) == ("active", "web", len(DATA))
    assert (image["os_hash_algo"], image["os_hash_value"]) == (algorithm or "sha512", digest)
    assert image["checksum"] == hashlib.md5(DATA).hexdigest()
    assert image["direct_url"] == url
    assert client.get(f"{IMAGES}/{image_id}/file", headers=MEMBER).content == DATA
    [found] = client.get(f"{IMAGES}/{image_id}/locations", headers=SERVICE).json()
    assert found == {"url": url, "metadata": {"store": "web"}}
    assert client.get(f"{IMAGES}/{image_id}/locations", headers=MEMBER).status_code == 403
    assert client.delete(f"{IMAGES}/{image_id}", headers=MEMBER).status_code == 204
    assert files(cloud) == {"file": 0, "second": 0, STAGING: 0}


def test_what_is_not_as_was_said(client: TestClient, web: Web, work: Work) -> None:
    image_id, url = make(client)["id"], web.url("/disk", DATA)
    wrong = {"os_hash_algo": "sha512", "os_hash_value": "beefdead" * 16}
    assert point(client, image_id, url, said=wrong) == 202
    work()
    image = show(client, image_id)
    assert (image["status"], image["os_hash_value"], image["stores"]) == ("queued", None, "web")
    assert tasks(client, image_id)[0]["status"] == "failure"
    assert client.get(f"{IMAGES}/{image_id}/file", headers=MEMBER).status_code == 204
    assert point(client, image_id, web.url("/lies", qcow2())) == 202 and work() == 1
    assert show(client, image_id)["status"] == "queued"
    assert point(client, image_id, web.url("/gone")) == 202 and work() == 1
    assert show(client, image_id)["status"] == "queued"
    assert point(client, image_id, url) == 202 and work() == 1
    assert show(client, image_id)["status"] == "active"


@pytest.mark.parametrize(
    "said",
    [
        {"os_hash_value": "0" * 128},
        {"os_hash_algo": "sha512"},
        {"os_hash_algo": "sha512", "os_hash_value": "0" * 64},
        {"os_hash_algo": "sha123", "os_hash_value": "0" * 64},
        {"os_hash_algo": "md5", "os_hash_value": "0" * 32},
        {"os_hash_algo": "sha256", "os_hash_value": "x" * 64},
    ],
)
def test_what_cannot_be_true(client: TestClient, web: Web, said: dict[str, str]) -> None:
    image_id = make(client)["id"]
    assert point(client, image_id, web.url("/disk", DATA), said=said) == 400
    assert show(client, image_id)["status"] == "queued" and web.asked == []


@pytest.mark.parametrize(
    "url", ["gopher://info.cern.ch", "file:///etc/passwd", "http://10.0.0.1/", "http://[::1]/", "s3://x/y"]
)
def test_addresses_that_are_refused(client: TestClient, url: str) -> None:
    image_id = make(client)["id"]
    assert point(client, image_id, url) == 400
    added = {"op": "add", "path": "/locations/-", "value": {"url": url, "metadata": {}}}
    assert change(client, image_id, added) == 400 and show(client, image_id)["locations"] == []


def test_who_may_point(client: TestClient, web: Web) -> None:
    image_id, url = make(client)["id"], web.url("/disk", DATA)
    assert [point(client, image_id, url, who) for who in (READER, OTHER, ADMIN)] == [403, 404, 202]


def add(url: str, **more: object) -> Json:
    return {"op": "add", "path": "/locations/-", "value": {"url": url, "metadata": {}, **more}}


def test_locations_in_patches(client: TestClient, web: Web) -> None:
    image_id, url = make(client)["id"], web.url("/disk", DATA)
    assert show(client, image_id)["locations"] == []
    assert change(client, image_id, add(url, metadata={"foo": "bar"})) == 200
    image = show(client, image_id)
    assert (image["status"], image["os_hash_algo"], image["locations"][0]["url"]) == ("active", None, url)
    assert image["locations"][0]["metadata"]["foo"] == "bar"
    assert change(client, image_id, add(url)) == 400
    assert change(client, image_id, add(f"{url}#new", metadata={"speed": "88mph"})) == 200
    both = show(client, image_id)["locations"]
    assert [one["url"] for one in both] == [url, f"{url}#new"]

    def replace(value: object) -> int:
        return change(client, image_id, {"op": "replace", "path": "/locations", "value": value})

    both[0]["metadata"]["date"] = "2015-10-15"
    assert replace(both) == 200
    for wrong in (both[:1], [], [both[0], {**both[1], "url": f"{url}#other"}], "x", [{"url": 1}], [*both, both[0]]):
        assert replace(wrong) == 400, wrong
    assert show(client, image_id)["locations"] == both
    assert change(client, image_id, {"op": "remove", "path": "/locations/7"}, who=ADMIN) == 400
    assert change(client, image_id, {"op": "remove", "path": "/locations/0"}, who=ADMIN) == 200
    assert change(client, image_id, {"op": "remove", "path": "/locations/0"}, who=ADMIN) == 403
    assert [one["url"] for one in show(client, image_id)["locations"]] == [f"{url}#new"]
    assert client.get(f"{IMAGES}/{image_id}/file", headers=MEMBER).content == DATA


def test_hashes_in_patches(client: TestClient, web: Web) -> None:
    image_id, url = make(client)["id"], web.url("/disk", DATA)
    said = {"checksum": "1" * 32, "os_hash_value": "deadbeef" * 16, "os_hash_algo": "sha512"}
    assert change(client, image_id, add(url, validation_data=said)) == 200
    image = show(client, image_id)
    assert {name: image[name] for name in said} == said and "validation_data" not in image["locations"][0]
    assert change(client, image_id, add(f"{url}#b", validation_data=said)) == 200
    other = {"checksum": "2" * 32, "os_hash_value": "beefdead" * 16}
    for name, value in other.items():
        assert change(client, image_id, add(f"{url}#c", validation_data=said | {name: value})) == 409
    other = {"os_hash_algo": "sha256"}
    assert change(client, image_id, add(f"{url}#c", validation_data=said | other)) == 409
    fresh = make(client)["id"]
    assert change(client, fresh, add(url, validation_data={"os_hash_algo": "x"})) == 400
    assert len(show(client, image_id)["locations"]) == 2


def test_data_of_our_own_shows_its_place(client: TestClient) -> None:
    image = active(client, DATA)
    [only] = image["locations"]
    assert only["url"] == image["direct_url"] and only["url"].startswith("file:///")
    for who in (MEMBER, ADMIN):
        assert change(client, image["id"], {"op": "remove", "path": "/locations/0"}, who=who) == 403


def test_who_sees_where_data_is(client: TestClient, web: Web, work: Work) -> None:
    """Addresses are for those whom `get_image_location` allows; the stores' names for all who see the image."""
    image_id, url = make(client)["id"], web.url("/disk", DATA)
    assert point(client, image_id, url) == 202 and work() == 1
    assert change(client, image_id, {"op": "replace", "path": "/visibility", "value": "community"}) == 200
    assert show(client, image_id)["direct_url"] == url
    others = client.get(f"{IMAGES}/{image_id}", headers=OTHER).json()
    assert others["stores"] == "web"
    assert not {"direct_url", "locations"} & others.keys()
