"""Version documents, microversions and request ids, as compute has them."""

from starlette.testclient import TestClient

from tests.compute.api.conftest import Caller


def test_documents_need_no_token(client: TestClient) -> None:
    listed = client.get("/compute/").json()["versions"]
    assert [(v["id"], v["status"], v["min_version"], v["version"]) for v in listed] == [
        ("v2.1", "CURRENT", "2.1", "2.96")
    ]
    for path in ("/compute/v2.1", "/compute/v2.1/"):
        shown = client.get(path).json()["version"]
        assert shown["id"] == "v2.1"
        assert shown["links"][0]["href"].endswith("/compute/v2.1/")


def test_headers(client: TestClient) -> None:
    reply = client.get(
        "/compute/v2.1/flavors", headers={"x-auth-token": "p1:reader", "x-openstack-nova-api-version": "2.55"}
    )
    assert reply.headers["x-openstack-nova-api-version"] == "2.55"
    assert reply.headers["openstack-api-version"] == "compute 2.55"
    assert reply.headers["x-compute-request-id"] == reply.headers["x-openstack-request-id"]


def test_a_version_that_is_not_spoken(reader: Caller) -> None:
    assert "Maximum" in reader.refused("GET", "/flavors", 406, version="2.999").title()


def test_version_by_name(reader: Caller) -> None:
    assert reader.get("/versions/v2.1")["version"]["id"] == "v2.1"
    reader.refused("GET", "/versions/v3", 404)


def test_removed_operations_are_gone(reader: Caller) -> None:
    for path in ("/os-cells", "/os-cloudpipe", "/os-fping", "/servers/x/consoles"):
        assert "removed" in reader.refused("GET", path, 410)


def test_extensions(reader: Caller) -> None:
    aliases = [entry["alias"] for entry in reader.get("/extensions")["extensions"]]
    assert "os-keypairs" in aliases
    assert reader.get("/extensions/os-keypairs")["extension"]["name"] == "Keypairs"
    reader.refused("GET", "/extensions/os-time-travel", 404)
