"""Sharing: the owner names a project, that project answers."""

from starlette.testclient import TestClient

from tests.image.api.people import ADMIN, IMAGES, MEMBER, OTHER, READER, active, change

THIRD = {"x-auth-token": "p3:member,reader"}


def listed(client: TestClient, query: str = "") -> list[str]:
    return [image["id"] for image in client.get(f"{IMAGES}?{query}", headers=OTHER).json()["images"]]


def test_life_of_a_sharing(client: TestClient) -> None:
    image_id = active(client)["id"]
    path = f"{IMAGES}/{image_id}"
    members = f"{path}/members"
    assert client.get(path, headers=OTHER).status_code == 404
    made = client.post(members, json={"member": "p2"}, headers=MEMBER)
    assert made.status_code == 200
    assert made.json() | {"created_at": "", "updated_at": ""} == {
        "image_id": image_id,
        "member_id": "p2",
        "status": "pending",
        "created_at": "",
        "updated_at": "",
        "schema": "/v2/schemas/member",
    }
    assert client.get(path, headers=OTHER).status_code == 200
    assert client.get(f"{path}/file", headers=OTHER).content == b"bytes"
    assert listed(client) == [] and listed(client, "member_status=pending&visibility=shared") == [image_id]
    assert client.put(f"{members}/p2", json={"status": "accepted"}, headers=OTHER).json()["status"] == "accepted"
    assert listed(client) == listed(client, "member_status=all") == [image_id]
    assert client.put(f"{members}/p2", json={"status": "rejected"}, headers=OTHER).status_code == 200
    assert listed(client) == [] and listed(client, "member_status=rejected") == [image_id]
    assert client.delete(f"{members}/p2", headers=OTHER).status_code == 403
    assert client.delete(f"{members}/p2", headers=MEMBER).status_code == 204
    assert client.get(path, headers=OTHER).status_code == 404


def test_each_side_has_its_own_part(client: TestClient) -> None:
    image_id = active(client)["id"]
    members = f"{IMAGES}/{image_id}/members"
    for project in ("p2", "p3"):
        assert client.post(members, json={"member": project}, headers=MEMBER).status_code == 200
    assert [m["member_id"] for m in client.get(members, headers=READER).json()["members"]] == ["p2", "p3"]
    assert [m["member_id"] for m in client.get(members, headers=OTHER).json()["members"]] == ["p2"]
    assert client.get(f"{members}/p3", headers=OTHER).status_code == 404
    assert client.get(f"{members}/p3", headers=THIRD).status_code == 200
    assert client.put(f"{members}/p2", json={"status": "accepted"}, headers=MEMBER).status_code == 403
    assert client.put(f"{members}/p2", json={"status": "accepted"}, headers=THIRD).status_code == 404
    assert client.post(members, json={"member": "p4"}, headers=OTHER).status_code == 403
    assert client.put(f"{members}/p2", json={"status": "accepted"}, headers=ADMIN).status_code == 200


def test_what_cannot_be_shared(client: TestClient) -> None:
    image_id = active(client)["id"]
    members = f"{IMAGES}/{image_id}/members"
    assert client.post(members, json={"member": "p2"}, headers=MEMBER).status_code == 200
    assert client.post(members, json={"member": "p2"}, headers=MEMBER).status_code == 409
    for bad in ({}, {"member": ""}, {"member": 5}, {"member": "x" * 65}):
        assert client.post(members, json=bad, headers=MEMBER).status_code == 400, bad
    for answer in ({}, {"status": "maybe"}, {"status": None}):
        assert client.put(f"{members}/p2", json=answer, headers=OTHER).status_code == 400, answer
    assert client.get(f"{members}/p9", headers=MEMBER).status_code == 404
    assert change(client, image_id, {"op": "replace", "path": "/visibility", "value": "private"}) == 200
    assert client.get(f"{IMAGES}/{image_id}", headers=OTHER).status_code == 404
    assert client.post(members, json={"member": "p3"}, headers=MEMBER).status_code == 403
    assert client.get(members, headers=MEMBER).status_code == 403
