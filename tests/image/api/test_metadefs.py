"""Namespaces of metadata definitions: who sees which, lists, changes, protection."""

import pytest
from starlette.testclient import TestClient

from pileus.kernel.http.call import Json
from tests.image.api.people import ADMIN, MEMBER, OTHER, READER

NAMESPACES = "/image/v2/metadefs/namespaces"
NOBODY = {"x-auth-token": "p1:guest"}
CORES = {"title": "Cores", "type": "integer", "minimum": 1}
WHOLE: Json = {
    "namespace": "Acme::Hardware",
    "display_name": "Acme",
    "description": "What Acme's machines have",
    "visibility": "public",
    "resource_type_associations": [
        {"name": "OS::Glance::Image", "prefix": "acme_"},
        {"name": "OS::Cinder::Volume", "prefix": "acme_", "properties_target": "image"},
        {"name": "OS::Nova::Server"},
    ],
    "properties": {"cores": CORES},
    "objects": [
        {"name": "Big Ones", "description": "Racks", "required": ["racks"], "properties": {"racks": CORES}},
        {"name": "Empty"},
    ],
    "tags": [{"name": "fast"}, {"name": "slow"}],
}


def make(client: TestClient, name: str, who: dict[str, str] = ADMIN, **more: object) -> Json:
    reply = client.post(NAMESPACES, json={"namespace": name, **more}, headers=who)
    assert reply.status_code == 201, reply.text
    made: Json = reply.json()
    return made


def names(client: TestClient, query: str = "", who: dict[str, str] = ADMIN) -> list[str]:
    reply = client.get(f"{NAMESPACES}?{query}", headers=who)
    assert reply.status_code == 200, reply.text
    return [namespace["namespace"] for namespace in reply.json()["namespaces"]]


def without_times(thing: object) -> object:
    if isinstance(thing, dict):
        return {k: without_times(v) for k, v in thing.items() if k not in ("created_at", "updated_at")}
    return [without_times(item) for item in thing] if isinstance(thing, list) else thing


def test_a_namespace_comes_with_all_that_is_in_it(client: TestClient) -> None:
    reply = client.post(NAMESPACES, json=WHOLE, headers=ADMIN)
    assert reply.status_code == 201, reply.text
    assert reply.headers["location"].endswith("/image/v2/metadefs/namespaces/Acme::Hardware")
    path = "/v2/metadefs/namespaces/Acme::Hardware"
    expected = WHOLE | {
        "owner": "ops",
        "protected": False,
        "self": path,
        "schema": "/v2/schemas/metadefs/namespace",
        "objects": [
            {
                **WHOLE["objects"][0],
                "self": f"{path}/objects/Big%20Ones",
                "schema": "/v2/schemas/metadefs/object",
            },
            {
                "name": "Empty",
                "properties": {},
                "required": [],
                "self": f"{path}/objects/Empty",
                "schema": "/v2/schemas/metadefs/object",
            },
        ],
    }
    assert without_times(reply.json()) == expected
    shown = client.get(f"{NAMESPACES}/Acme::Hardware", headers=READER).json()
    assert shown == reply.json()
    assert shown["created_at"].endswith("Z") and shown["updated_at"].endswith("Z")


def test_names_of_properties_are_those_on_the_resource_type(client: TestClient) -> None:
    make(client, **{k: v for k, v in WHOLE.items() if k != "namespace"}, name="Acme::Hardware")
    path = f"{NAMESPACES}/Acme::Hardware"
    shown = client.get(f"{path}?resource_type=OS::Glance::Image", headers=READER).json()
    assert shown["properties"] == {"acme_cores": CORES}
    assert shown["objects"][0]["properties"] == {"acme_racks": CORES} and shown["objects"][0]["required"] == [
        "acme_racks"
    ]
    for plain in ("OS::Nova::Server", "OS::No::Such"):
        assert client.get(f"{path}?resource_type={plain}", headers=READER).json()["properties"] == {"cores": CORES}


def test_who_sees_and_who_writes(client: TestClient) -> None:
    make(client, "Open", visibility="public")
    make(client, "Ours", owner="p1")
    make(client, "Theirs", owner="p2")
    assert sorted(names(client)) == ["Open", "Ours", "Theirs"]
    assert sorted(names(client, who=READER)) == ["Open", "Ours"]
    assert names(client, "visibility=private", READER) == ["Ours"]
    assert names(client, "visibility=public", OTHER) == ["Open"]
    for name, who, status in (
        ("Open", OTHER, 200),
        ("Ours", READER, 200),
        ("Ours", OTHER, 404),
        ("Theirs", READER, 404),
        ("Ours", NOBODY, 403),
    ):
        assert client.get(f"{NAMESPACES}/{name}", headers=who).status_code == status, (name, who)
    for who, status in ((MEMBER, 403), (OTHER, 404), (READER, 403)):
        path = f"{NAMESPACES}/Ours"
        assert client.put(path, json={"namespace": "Ours"}, headers=who).status_code == status
        assert client.delete(path, headers=who).status_code == status
    assert client.post(NAMESPACES, json={"namespace": "New"}, headers=MEMBER).status_code == 403
    assert client.get(NAMESPACES, headers=NOBODY).status_code == 403
    assert client.get(NAMESPACES).status_code == 401
    # What another project keeps to itself is taken all the same.
    assert client.post(NAMESPACES, json={"namespace": "Theirs"}, headers=ADMIN).status_code == 409


def test_lists_come_in_pages_and_filters(client: TestClient) -> None:
    for number in range(5):
        associations = [{"name": kind} for kind in (["A", "B"] if number % 2 else ["B"])]
        make(client, f"N{number}", visibility="public", resource_type_associations=associations)
    assert names(client) == ["N4", "N3", "N2", "N1", "N0"]
    assert names(client, "sort_key=namespace&sort_dir=asc") == ["N0", "N1", "N2", "N3", "N4"]
    assert names(client, "resource_types=A") == ["N3", "N1"]
    assert names(client, "resource_types=A,B") == ["N4", "N3", "N2", "N1", "N0"]
    assert names(client, "resource_types=C") == []
    path, seen = "/v2/metadefs/namespaces?limit=2&sort_key=namespace", []
    while path:
        body = client.get(f"/image{path}", headers=READER).json()
        assert body["schema"] == "/v2/schemas/metadefs/namespaces"
        assert body["first"] == "/v2/metadefs/namespaces?limit=2&sort_key=namespace"
        assert all("resource_type_associations" in item and "properties" not in item for item in body["namespaces"])
        seen.append([item["namespace"] for item in body["namespaces"]])
        path = body.get("next")
    assert seen == [["N4", "N3"], ["N2", "N1"], ["N0"]]
    for bad, status in (
        ("marker=nowhere", 404),
        ("limit=x", 400),
        ("limit=-1", 400),
        ("visibility=shared", 400),
        ("sort_key=owner", 400),
        ("sort_dir=up&sort_key=namespace", 400),
    ):
        assert client.get(f"{NAMESPACES}?{bad}", headers=ADMIN).status_code == status, bad


def test_a_change_sets_what_is_left_out_to_its_default(client: TestClient) -> None:
    make(client, "Old", description="text", display_name="name", visibility="public", owner="p1", tags=[{"name": "t"}])
    make(client, "Taken")
    path = f"{NAMESPACES}/Old"
    assert client.put(path, json={"namespace": "Taken"}, headers=ADMIN).status_code == 409
    changed = client.put(path, json={"namespace": "New", "tags": []}, headers=ADMIN)
    assert changed.status_code == 200
    assert without_times(changed.json()) == {
        "namespace": "New",
        "visibility": "private",
        "protected": False,
        "owner": "p1",
        "self": "/v2/metadefs/namespaces/New",
        "schema": "/v2/schemas/metadefs/namespace",
    }
    assert client.get(path, headers=ADMIN).status_code == 404
    assert client.get(f"{NAMESPACES}/New", headers=READER).json()["tags"] == [{"name": "t"}]
    assert client.put(f"{NAMESPACES}/New", json={}, headers=ADMIN).status_code == 400


def test_nothing_of_a_protected_namespace_can_be_deleted(client: TestClient) -> None:
    make(client, protected=True, **{k: v for k, v in WHOLE.items() if k != "namespace"}, name="Safe")
    path = f"{NAMESPACES}/Safe"
    doors = [
        f"{path}/{rest}"
        for rest in (
            "objects/Empty",
            "objects",
            "properties/cores",
            "properties",
            "tags/fast",
            "tags",
            "resource_types/OS::Nova::Server",
        )
    ]
    for door in (*doors, path):
        assert client.delete(door, headers=ADMIN).status_code == 403, door
    assert client.put(path, json={"namespace": "Safe", "protected": False}, headers=ADMIN).status_code == 200
    for door in (*doors, path):
        assert client.delete(door, headers=ADMIN).status_code == 204, door
    assert client.get(path, headers=ADMIN).status_code == 404


def test_deleting_takes_along_what_is_in_it(client: TestClient) -> None:
    for _ in range(2):  # nothing left over is in the way of the second
        assert client.post(NAMESPACES, json=WHOLE, headers=ADMIN).status_code == 201
        assert client.delete(f"{NAMESPACES}/Acme::Hardware", headers=ADMIN).status_code == 204
    known = client.get("/image/v2/metadefs/resource_types", headers=READER).json()["resource_types"]
    assert [kind["name"] for kind in known] == ["OS::Cinder::Volume", "OS::Glance::Image", "OS::Nova::Server"]


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({}, "namespace"),
        ({"namespace": ""}, "$.namespace"),
        ({"namespace": "x" * 81}, "$.namespace"),
        ({"namespace": "clef \U0001d11e"}, "$.namespace"),
        ({"namespace": "a/b"}, "$.namespace"),
        ({"namespace": "a\u0000b"}, "$.namespace"),
        ({"namespace": " a"}, "$.namespace"),
        ({"namespace": 5}, "$.namespace"),
        ({"namespace": "a", "colour": "red"}, "colour"),
        ({"namespace": "a", "visibility": "shared"}, "$.visibility"),
        ({"namespace": "a", "protected": "yes"}, "$.protected"),
        ({"namespace": "a", "display_name": "x" * 81}, "$.display_name"),
        ({"namespace": "a", "description": "x" * 501}, "$.description"),
        ({"namespace": "a", "properties": {"p": {"type": "string"}}}, "$.properties"),
        ({"namespace": "a", "properties": {"p": {"type": "text", "title": "t"}}}, "$.properties"),
        ({"namespace": "a", "properties": {"p" * 81: {"type": "string", "title": "t"}}}, "$.properties"),
        ({"namespace": "a", "properties": {"\U0001d11e": {"type": "string", "title": "t"}}}, "$.properties"),
        ({"namespace": "a", "objects": [{"name": "o"}, {"name": "x" * 81}]}, "$.objects"),
        ({"namespace": "a", "objects": [{"name": "o"}, {"name": "\U0001d11e"}]}, "$.objects[1].name"),
        ({"namespace": "a", "tags": [{"name": "t"}, {}]}, "$.tags"),
        ({"namespace": "a", "tags": [{"name": "a/b"}]}, "$.tags[0].name"),
        ({"namespace": "a", "resource_type_associations": [{"prefix": "p"}]}, "$.resource_type_associations"),
        ({"namespace": "a", "resource_type_associations": [{"name": "\U0001d11e"}]}, "$.resource_type_associations[0]"),
    ],
)
def test_bad_bodies_are_told_where(client: TestClient, body: Json, place: str) -> None:
    reply = client.post(NAMESPACES, json=body, headers=ADMIN)
    assert reply.status_code == 400 and place in reply.json()["message"], reply.text
    assert names(client) == []


def test_what_the_service_sets_is_refused(client: TestClient) -> None:
    for name in ("created_at", "updated_at", "self"):
        reply = client.post(NAMESPACES, json={"namespace": "a", name: "x"}, headers=ADMIN)
        assert reply.status_code == 403 and f"'{name}' is read-only" in reply.json()["message"]
    make(client, "a", schema="/v2/schemas/metadefs/namespace")


def test_names_are_exact(client: TestClient) -> None:
    for name in ("case", "Case", "Été", "Ete"):
        make(client, name, properties={name: CORES})
    assert sorted(names(client)) == ["Case", "Ete", "case", "Été"]
    assert client.get(f"{NAMESPACES}/Été/properties/Été", headers=ADMIN).status_code == 200
    assert client.get(f"{NAMESPACES}/Été/properties/Ete", headers=ADMIN).status_code == 404
    assert client.get(f"{NAMESPACES}/CASE", headers=ADMIN).status_code == 404
    linked = client.get(f"{NAMESPACES}?limit=1&sort_key=namespace", headers=ADMIN).json()
    assert client.get(f"/image{linked['next']}", headers=ADMIN).json()["namespaces"][0]["namespace"] == "case"


def test_what_is_twice_in_one_body_conflicts(client: TestClient) -> None:
    for more in (
        {"objects": [{"name": "o"}, {"name": "o"}]},
        {"tags": [{"name": "t"}, {"name": "t"}]},
        {"resource_type_associations": [{"name": "r"}, {"name": "r"}]},
    ):
        assert client.post(NAMESPACES, json={"namespace": "a", **more}, headers=ADMIN).status_code == 409, more
    assert names(client) == []
