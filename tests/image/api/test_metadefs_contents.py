"""What namespaces hold: objects, properties, tags, associations."""

import pytest
from starlette.testclient import TestClient

from pileus.kernel.http.call import Json
from tests.image.api.people import ADMIN, MEMBER, OTHER, READER
from tests.image.api.test_metadefs import CORES, NAMESPACES, make, without_times

PATH = f"{NAMESPACES}/Acme"
HIDDEN = f"{NAMESPACES}/Hidden"


@pytest.fixture(autouse=True)
def _namespaces(client: TestClient) -> None:
    make(client, "Acme", visibility="public")
    make(client, "Hidden", owner="p2")


def test_life_of_an_object(client: TestClient) -> None:
    door = f"{PATH}/objects"
    body = {"name": "Big Ones", "description": "Racks", "properties": {"racks": CORES}, "required": ["racks"]}
    made = client.post(door, json=body, headers=ADMIN)
    assert made.status_code == 201 and made.headers["location"].endswith("/objects/Big%20Ones")
    shown = client.get(f"{door}/Big Ones", headers=READER)
    assert shown.json() == made.json()
    assert client.get(f"/image{shown.json()['self']}", headers=READER).json() == shown.json()
    assert client.post(door, json=body, headers=ADMIN).status_code == 409
    assert client.post(door, json={"name": "Other"}, headers=ADMIN).status_code == 201
    assert client.put(f"{door}/Big Ones", json={"name": "Other"}, headers=ADMIN).status_code == 409
    changed = client.put(f"{door}/Big Ones", json={"name": "Small"}, headers=ADMIN)
    assert changed.status_code == 200
    assert without_times(changed.json()) == {
        "name": "Small",
        "properties": {},
        "required": [],
        "self": "/v2/metadefs/namespaces/Acme/objects/Small",
        "schema": "/v2/schemas/metadefs/object",
    }
    assert client.get(f"{door}/Big Ones", headers=READER).status_code == 404
    first = client.get(f"{door}?limit=1&sort_key=name&sort_dir=asc", headers=READER).json()
    assert [item["name"] for item in first["objects"]] == ["Other"]
    second = client.get(f"/image{first['next']}", headers=READER).json()
    assert [item["name"] for item in second["objects"]] == ["Small"] and "next" not in second
    assert client.get(f"{door}?marker=none", headers=READER).status_code == 404
    assert client.delete(f"{door}/Small", headers=ADMIN).status_code == 204
    assert client.delete(f"{door}/Small", headers=ADMIN).status_code == 404
    assert client.delete(door, headers=ADMIN).status_code == 204
    assert client.get(door, headers=READER).json()["objects"] == []


def test_life_of_a_property(client: TestClient) -> None:
    door = f"{PATH}/properties"
    body: Json = {
        "name": "colour",
        "title": "Colour",
        "type": "array",
        "description": "of the case",
        "items": {"type": "string", "enum": ["red", "blue"]},
        "minItems": 1,
        "maxItems": 2,
        "uniqueItems": True,
        "additionalItems": False,
        "default": ["red"],
        "operators": ["<in>"],
        "readonly": False,
        "enum": [1, "a", None],
        "minimum": 0.5,
        "maximum": 2**70,
        "minLength": 0,
        "maxLength": 9,
        "pattern": "^a",
        "required": ["b"],
    }
    made = client.post(door, json=body, headers=ADMIN)
    assert made.status_code == 201 and made.json() == body
    assert client.post(door, json=body, headers=ADMIN).status_code == 409
    assert client.get(f"{door}/colour", headers=READER).json() == body
    small = {"name": "size", "title": "Size", "type": "integer"}
    changed = client.put(f"{door}/colour", json=small, headers=ADMIN)
    assert changed.status_code == 200 and changed.json() == small
    assert client.get(door, headers=READER).json() == {"properties": {"size": {"title": "Size", "type": "integer"}}}
    assert client.post(door, json=body, headers=ADMIN).status_code == 201
    assert client.put(f"{door}/colour", json=small, headers=ADMIN).status_code == 409
    assert client.delete(f"{door}/size", headers=ADMIN).status_code == 204
    assert client.delete(f"{door}/size", headers=ADMIN).status_code == 404
    assert client.delete(door, headers=ADMIN).status_code == 204
    assert client.get(door, headers=READER).json() == {"properties": {}}


def test_a_property_is_found_by_its_name_on_a_resource(client: TestClient) -> None:
    assert client.post(f"{PATH}/properties", json={"name": "cores", **CORES}, headers=ADMIN).status_code == 201
    for kind in ({"name": "Image", "prefix": "hw_"}, {"name": "Server"}):
        assert client.post(f"{PATH}/resource_types", json=kind, headers=ADMIN).status_code == 201
    door = f"{PATH}/properties"
    for name, status in (
        ("hw_cores?resource_type=Image", 200),
        ("cores?resource_type=Server", 200),
        ("cores?resource_type=Image", 404),
        ("hw_cores?resource_type=Server", 404),
        ("cores?resource_type=Flavor", 404),
    ):
        reply = client.get(f"{door}/{name}", headers=READER)
        assert reply.status_code == status, name
        if status == 200:
            assert reply.json()["name"] == "cores"


def test_life_of_a_tag(client: TestClient) -> None:
    door = f"{PATH}/tags"

    def tags(query: str = "sort_key=name&sort_dir=asc") -> list[str]:
        return [tag["name"] for tag in client.get(f"{door}?{query}", headers=READER).json()["tags"]]

    made = client.post(f"{door}/one", headers=ADMIN)
    assert made.status_code == 201 and made.json().keys() == {"name", "created_at", "updated_at"}
    assert client.post(f"{door}/one", headers=ADMIN).status_code == 409
    assert client.get(f"{door}/one", headers=READER).json() == made.json()
    several = client.post(door, json={"tags": [{"name": "two"}, {"name": "three"}]}, headers=ADMIN)
    assert several.status_code == 201 and [tag["name"] for tag in several.json()["tags"]] == ["two", "three"]
    assert tags() == ["three", "two"]
    more = ADMIN | {"X-Openstack-Append": "True"}
    assert client.post(door, json={"tags": [{"name": "four"}]}, headers=more).status_code == 201
    assert tags() == ["four", "three", "two"] and tags("limit=2&sort_key=name") == ["two", "three"]
    assert client.post(door, json={"tags": [{"name": "two"}]}, headers=more).status_code == 409
    assert client.post(door, json={"tags": [{"name": "x"}, {"name": "x"}]}, headers=ADMIN).status_code == 409
    assert tags() == ["four", "three", "two"]
    assert client.put(f"{door}/two", json={"name": "four"}, headers=ADMIN).status_code == 409
    assert client.put(f"{door}/two", json={"name": "2"}, headers=ADMIN).json()["name"] == "2"
    assert client.put(f"{door}/two", json={"name": "2"}, headers=ADMIN).status_code == 404
    assert client.delete(f"{door}/2", headers=ADMIN).status_code == 204
    assert client.delete(f"{door}/2", headers=ADMIN).status_code == 404
    assert client.delete(door, headers=ADMIN).status_code == 204
    assert tags() == []


def test_life_of_an_association(client: TestClient) -> None:
    door = f"{PATH}/resource_types"
    body = {"name": "OS::New::Kind", "prefix": "new:", "properties_target": "metadata"}
    made = client.post(door, json=body, headers=ADMIN)
    assert made.status_code == 201 and without_times(made.json()) == body
    assert client.post(door, json={"name": "OS::New::Kind"}, headers=ADMIN).status_code == 409
    assert client.get(door, headers=READER).json() == {"resource_type_associations": [made.json()]}
    assert client.post(f"{HIDDEN}/resource_types", json={"name": "OS::New::Kind"}, headers=ADMIN).status_code == 201
    known = client.get("/image/v2/metadefs/resource_types", headers=READER).json()["resource_types"]
    assert [kind["name"] for kind in known] == ["OS::New::Kind"]
    assert known[0].keys() == {"name", "created_at", "updated_at"}
    assert client.delete(f"{door}/OS::New::Kind", headers=ADMIN).status_code == 204
    assert client.delete(f"{door}/OS::New::Kind", headers=ADMIN).status_code == 404
    assert client.get(door, headers=READER).json() == {"resource_type_associations": []}
    assert len(client.get(f"{HIDDEN}/resource_types", headers=ADMIN).json()["resource_type_associations"]) == 1


ONE: dict[str, Json] = {
    "objects": {"name": "x"},
    "properties": {"name": "x", **CORES},
    "tags": {"name": "x"},
    "resource_types": {"name": "x"},
}


@pytest.mark.parametrize("kind", ONE)
def test_only_administrators_write_and_none_sees_what_is_private(client: TestClient, kind: str) -> None:
    def add(where: str, who: dict[str, str]) -> int:
        if kind == "tags":
            return client.post(f"{where}/tags/x", headers=who).status_code
        return client.post(f"{where}/{kind}", json=ONE[kind], headers=who).status_code

    assert [add(PATH, who) for who in (MEMBER, ADMIN)] == [403, 201]
    assert [add(HIDDEN, who) for who in (MEMBER, OTHER, ADMIN)] == [404, 403, 201]
    for where, who, status in ((PATH, READER, 200), (HIDDEN, READER, 404), (HIDDEN, OTHER, 200)):
        assert client.get(f"{where}/{kind}", headers=who).status_code == status
        if kind != "resource_types":
            assert client.get(f"{where}/{kind}/x", headers=who).status_code == status
    for where, who, status in ((PATH, MEMBER, 403), (HIDDEN, MEMBER, 404), (HIDDEN, OTHER, 403)):
        assert client.delete(f"{where}/{kind}/x", headers=who).status_code == status
        if kind != "resource_types":
            assert client.put(f"{where}/{kind}/x", json=ONE[kind], headers=who).status_code == status
            assert client.delete(f"{where}/{kind}", headers=who).status_code == status
    assert client.get(f"{NAMESPACES}/Nowhere/{kind}", headers=ADMIN).status_code == 404


@pytest.mark.parametrize("name", ["", "x" * 81, "clef \U0001d11e", "a/b", " a", "a\n", ".."])
@pytest.mark.parametrize("kind", ONE)
def test_bad_names(client: TestClient, kind: str, name: str) -> None:
    body: Json = ONE[kind] | {"name": name}
    reply = client.post(f"{PATH}/{kind}", json={"tags": [body]} if kind == "tags" else body, headers=ADMIN)
    assert reply.status_code == 400 and "name`" in reply.json()["message"], reply.text
    if kind != "resource_types":
        good = {"tags": [ONE[kind]]} if kind == "tags" else ONE[kind]
        assert client.post(f"{PATH}/{kind}", json=good, headers=ADMIN).status_code == 201
        assert client.put(f"{PATH}/{kind}/x", json=body, headers=ADMIN).status_code == 400


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("objects", {}),
        ("objects", {"name": "x", "colour": "red"}),
        ("objects", {"name": "x", "properties": {"p": {"title": "t"}}}),
        ("objects", {"name": "x", "required": "p"}),
        ("properties", {"name": "x", "type": "string"}),
        ("properties", {"name": "x", "title": "t"}),
        ("properties", {"name": "x", "title": "t", "type": "null"}),
        ("properties", {"name": "x", "title": "t", "type": "string", "colour": "red"}),
        ("properties", {"name": "x", "title": "t", "type": "string", "minLength": -1}),
        ("properties", {"name": "x", "title": "t", "type": "string", "minimum": "1"}),
        ("properties", {"name": "x", "title": "t", "type": "string", "items": {"type": "text"}}),
        ("tags", {}),
        ("tags", {"tags": {}}),
        ("tags", {"tags": [{"name": "x", "colour": "red"}]}),
        ("resource_types", {"prefix": "x"}),
        ("resource_types", {"name": "x", "prefix": "p" * 81}),
        ("resource_types", {"name": "x", "colour": "red"}),
        ("tags/" + "x" * 81, None),
    ],
)
def test_bad_bodies(client: TestClient, path: str, body: Json | None) -> None:
    assert client.post(f"{PATH}/{path}", json=body, headers=ADMIN).status_code == 400


def test_what_the_service_sets_is_refused(client: TestClient) -> None:
    for kind in ("objects", "resource_types"):
        reply = client.post(f"{PATH}/{kind}", json=ONE[kind] | {"created_at": "x"}, headers=ADMIN)
        assert reply.status_code == 403, kind
    tags = {"tags": [{"name": "x", "updated_at": "x"}]}
    assert client.post(f"{PATH}/tags", json=tags, headers=ADMIN).status_code == 403
    assert client.post(f"{PATH}/objects", json={"name": "x", "schema": "kept not"}, headers=ADMIN).status_code == 201


def test_many_tags_at_once(client: TestClient) -> None:
    many = [{"name": f"tag {number}"} for number in range(2000)]
    assert client.post(f"{PATH}/tags/tag 1999", headers=ADMIN).status_code == 201
    more = ADMIN | {"X-Openstack-Append": "true"}
    assert client.post(f"{PATH}/tags", json={"tags": many}, headers=more).status_code == 409
    assert client.post(f"{PATH}/tags", json={"tags": [*many, many[0]]}, headers=ADMIN).status_code == 409
    assert client.post(f"{PATH}/tags", json={"tags": many}, headers=ADMIN).status_code == 201
    page = client.get(f"{PATH}/tags", headers=READER).json()
    assert len(page["tags"]) == 1000 and len(client.get(f"/image{page['next']}", headers=READER).json()["tags"]) == 1000
