"""What the service says of itself."""

import pytest
from starlette.testclient import TestClient

from tests.image.api.people import ADMIN, IMAGES, MEMBER, active, make


@pytest.mark.parametrize(
    ("path", "status"), [("/image", 300), ("/image/", 300), ("/image/v2/", 300), ("/image/versions", 200)]
)
def test_versions_without_a_token(client: TestClient, path: str, status: int) -> None:
    reply = client.get(path)
    assert reply.status_code == status
    versions = reply.json()["versions"]
    assert [v["status"] for v in versions] == ["CURRENT"] + ["SUPPORTED"] * (len(versions) - 1)
    assert versions[-1]["id"] == "v2.0"
    assert versions[0]["links"] == [{"rel": "self", "href": "http://127.0.0.1:8780/image/v2/"}]


def test_schemas_name_what_images_show(client: TestClient) -> None:
    image = make(client)
    schema = client.get("/image/v2/schemas/image", headers=MEMBER).json()
    assert schema["name"] == "image" and image.keys() <= schema["properties"].keys()
    images = client.get("/image/v2/schemas/images", headers=MEMBER).json()
    assert images["name"] == "images" and images["properties"]["images"]["items"] == schema
    member = client.post(f"{IMAGES}/{image['id']}/members", json={"member": "p2"}, headers=MEMBER).json()
    shape = client.get("/image/v2/schemas/member", headers=MEMBER).json()
    assert member.keys() == shape["properties"].keys()
    assert client.get("/image/v2/schemas/members", headers=MEMBER).json()["name"] == "members"


def test_info(client: TestClient) -> None:
    active(client, b"x" * (1 << 20) + b"x")
    assert client.get("/image/v2/info/import", headers=MEMBER).json()["import-methods"]["value"][0] == "glance-direct"
    assert [s["id"] for s in client.get("/image/v2/info/stores", headers=MEMBER).json()["stores"]] == ["file"]
    [store] = client.get("/image/v2/info/stores/detail", headers=ADMIN).json()["stores"]
    assert (store["id"], store["type"], store["default"]) == ("file", "file", "true") and "data_dir" in store[
        "properties"
    ]
    assert client.get("/image/v2/info/stores/detail", headers=MEMBER).status_code == 403
    assert client.get("/image/v2/schemas/task", headers=MEMBER).json()["name"] == "task"
    usage = client.get("/image/v2/info/usage", headers=MEMBER).json()["usage"]
    assert usage["image_count_total"] == {"limit": -1, "usage": 1}
    assert usage["image_size_total"] == {"limit": -1, "usage": 2}
    for path in ("info/import", "info/stores", "info/usage", "schemas/image"):
        assert client.get(f"/image/v2/{path}").status_code == 401
