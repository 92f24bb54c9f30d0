"""What every service gets from the kernel without a line of its own."""

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import func, select
from starlette.testclient import TestClient

from pileus.kernel.bus.memory import MemoryBus
from pileus.kernel.cloud import Cloud
from pileus.kernel.http.app import App, UnguardedRoute
from pileus.kernel.http.call import Call, Json
from pileus.kernel.http.routes import Route
from tests.cloud import cloud_of
from tests.kernel.toy import MANIFEST, Toy, view

MEMBER = {"x-auth-token": "p1:member,reader"}
READER = {"x-auth-token": "p1:reader"}
OTHER = {"x-auth-token": "p2:member,reader"}


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[Cloud]:
    with cloud_of(tmp_path, MANIFEST) as cloud:
        yield cloud


@pytest.fixture
def client(cloud: Cloud) -> TestClient:
    return TestClient(App(cloud, [MANIFEST]), raise_server_exceptions=False)


def make(client: TestClient, name: str = "bear", **more: object) -> Json:
    reply = client.post("/toybox/toys", json={"toy": {"name": name, **more}}, headers=MEMBER)
    assert reply.status_code == 201, reply.text
    made: Json = reply.json()["toy"]
    return made


def count(cloud: Cloud) -> int:
    with cloud.db.reading() as db:
        return db.scalar(select(func.count()).select_from(Toy)) or 0


def test_life_of_a_toy(client: TestClient, cloud: Cloud) -> None:
    toy = make(client)
    assert client.get(f"/toybox/toys/{toy['id']}", headers=READER).json()["toy"] == toy
    assert isinstance(cloud.bus, MemoryBus)
    assert cloud.bus.casts == [("control", "toy", {"id": toy["id"]})]
    assert client.delete(f"/toybox/toys/{toy['id']}", headers=MEMBER).status_code == 204
    assert client.get(f"/toybox/toys/{toy['id']}", headers=READER).status_code == 404


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        ({"x-auth-token": "junk"}, 401),
        (READER, 403),
        ({**READER, "x-roles": "admin", "x-project-id": "p1"}, 403),
    ],
)
def test_who_may_not_create(client: TestClient, cloud: Cloud, headers: dict[str, str], status: int) -> None:
    reply = client.post("/toybox/toys", json={"toy": {"name": "bear"}}, headers=headers)
    assert reply.status_code == status
    assert reply.json()["fault"]["code"] == status
    assert count(cloud) == 0


def test_another_projects_toy_is_not_found(client: TestClient) -> None:
    toy = make(client)
    assert client.get(f"/toybox/toys/{toy['id']}", headers=OTHER).status_code == 404
    assert client.delete(f"/toybox/toys/{toy['id']}", headers=OTHER).status_code == 404


@pytest.mark.parametrize(
    ("body", "part"),
    [
        ({"toy": {"name": 5}}, "$.toy.name"),
        ({"toy": {"name": "x", "sise": 1}}, "sise"),
        ({"toy": {"name": "x", "size": "big"}}, "$.toy.size"),
        ({"toy": {}}, "name"),
        ({}, "toy"),
        ([], "object"),
        ({"toy": {"name": "x", "colour": "red"}}, "colour"),
    ],
)
def test_bad_bodies_name_the_field(client: TestClient, cloud: Cloud, body: object, part: str) -> None:
    reply = client.post("/toybox/toys", json=body, headers=MEMBER)
    assert reply.status_code == 400
    assert part in reply.json()["fault"]["message"]
    assert count(cloud) == 0


def test_lax_numbers_and_a_field_of_a_newer_version(client: TestClient) -> None:
    newer = {**MEMBER, "openstack-api-version": "toybox 1.5"}
    reply = client.post("/toybox/toys", json={"toy": {"name": "x", "size": "3", "colour": "red"}}, headers=newer)
    assert reply.status_code == 201
    assert reply.json()["toy"]["size"] == 3


def test_malformed_and_oversized_bodies(client: TestClient, cloud: Cloud) -> None:
    json_type = {**MEMBER, "content-type": "application/json"}
    assert client.post("/toybox/toys", content=b"{", headers=json_type).status_code == 400
    assert client.post("/toybox/toys", content=b"\xff\xfe", headers=json_type).status_code == 400
    assert client.post("/toybox/toys", content=b"[" * 10_000_000, headers=json_type).status_code == 413
    assert client.post("/toybox/toys", content=b"[" * 100_000, headers=json_type).status_code == 400
    assert (
        client.post("/toybox/toys", content=b"<a/>", headers={**MEMBER, "content-type": "text/xml"}).status_code == 415
    )
    assert client.post("/toybox/toys", headers=MEMBER).status_code == 400
    assert count(cloud) == 0


@pytest.mark.parametrize(
    ("header", "status", "spoken"),
    [
        ({}, 200, "1.0"),
        ({"openstack-api-version": "toybox 1.7"}, 200, "1.7"),
        ({"openstack-api-version": "toybox latest"}, 200, "1.9"),
        ({"x-toy-version": "1.3"}, 200, "1.3"),
        ({"openstack-api-version": "compute 2.1"}, 200, "1.0"),
        ({"openstack-api-version": "toybox 9.9"}, 406, None),
        ({"openstack-api-version": "toybox one"}, 400, None),
    ],
)
def test_microversions(client: TestClient, header: dict[str, str], status: int, spoken: str | None) -> None:
    reply = client.get("/toybox/", headers=header)
    assert reply.status_code == status
    if spoken:
        assert reply.json() == {"version": spoken}
        assert reply.headers["openstack-api-version"] == f"toybox {spoken}"


def test_unknown_paths_and_methods(client: TestClient) -> None:
    assert client.get("/toybox/nothing", headers=MEMBER).status_code == 404
    assert client.get("/other/nothing", headers=MEMBER).status_code == 404
    reply = client.put("/toybox/toys", headers=MEMBER)
    assert (reply.status_code, reply.headers["allow"]) == (405, "GET, POST")


def test_actions(client: TestClient) -> None:
    path = f"/toybox/toys/{make(client)['id']}/action"
    manager = {"x-auth-token": "p1:manager,member,reader"}
    assert client.post(path, json={"paint": {"colour": "red"}}, headers=manager).json() == {"painted": "red"}
    assert client.post(path, json={"paint": {"colour": "red"}}, headers=MEMBER).status_code == 403
    for bad in (
        {"dance": None},
        {},
        {"paint": {"colour": "x"}, "dance": 1},
        {"paint": {"color": "x"}},
        {"paint": None},
    ):
        assert client.post(path, json=bad, headers=manager).status_code == 400


def test_pages_filters_and_order(client: TestClient) -> None:
    for name, size in (("a", 3), ("b", 1), ("c", 2), ("d", 2), ("e", 9)):
        make(client, name, size=size)
    seen, url = [], "http://127.0.0.1:8780/toybox/toys?sort_key=size&sort_dir=desc&limit=2"
    while url:
        body = client.get(url, headers=READER).json()
        seen += [t["name"] for t in body["toys"]]
        url = body.get("next")
    assert seen[:2] == ["e", "a"] and set(seen[2:4]) == {"c", "d"} and seen[4] == "b"
    assert [
        t["name"] for t in client.get("/toybox/toys?name=a&name=c&sort=name:asc", headers=READER).json()["toys"]
    ] == ["a", "c"]
    assert len(client.get("/toybox/toys?limit=1000", headers=READER).json()["toys"]) == 3
    for bad in ("limit=-1", "limit=x", "sort_key=secret", "sort_key=name&sort_dir=up", "marker=nothing"):
        assert client.get(f"/toybox/toys?{bad}", headers=READER).status_code == 400, bad


def test_a_failure_tells_nothing_and_a_conflict_changes_nothing(client: TestClient, cloud: Cloud) -> None:
    reply = client.get("/toybox/crash", headers=MEMBER)
    assert reply.status_code == 500
    assert "secret" not in reply.text
    assert reply.headers["x-openstack-request-id"] in reply.json()["fault"]["message"]
    make(client)
    assert client.post("/toybox/toys", json={"toy": {"name": "bear"}}, headers=MEMBER).status_code == 409
    assert count(cloud) == 1


@pytest.mark.parametrize("rule", ["", "toys:unregistered"])
def test_a_route_without_a_registered_rule_does_not_start(cloud: Cloud, rule: str) -> None:
    def open_door(call: Call) -> Json:
        return view(Toy())

    unguarded = dataclasses.replace(MANIFEST, routes=[Route("GET", "/open", open_door, rule)])
    with pytest.raises(UnguardedRoute):
        App(cloud, [unguarded])


def test_an_operators_policy_file_wins(tmp_path: Path) -> None:
    (tmp_path / "policy.yaml").write_text('"toys:create": "role:reader"\n')
    with cloud_of(tmp_path, MANIFEST) as cloud:
        client = TestClient(App(cloud, [MANIFEST]))
        assert client.post("/toybox/toys", json={"toy": {"name": "x"}}, headers=READER).status_code == 201
