"""Services, endpoints, regions, and the catalog that they make."""

import pytest
from starlette.testclient import TestClient

from tests.identity.people import Caller, Json, log_in


def service(admin: Caller, kind: str = "key-manager") -> str:
    return str(admin.ask("POST", "/services", {"service": {"type": kind, "name": "n"}}, status=201)["service"]["id"])


def endpoint(admin: Caller, service_id: str, url: str = "http://other/v1", **more: object) -> Json:
    body = {"endpoint": {"service_id": service_id, "interface": "public", "url": url, **more}}
    made: Json = admin.ask("POST", "/endpoints", body, status=201)["endpoint"]
    return made


def catalog(caller: Caller) -> dict[str, list[str]]:
    entries = caller.ask("GET", "/auth/catalog")["catalog"]
    return {entry["type"]: [e["url"] for e in entry["endpoints"]] for entry in entries}


def test_life_of_a_service(admin: Caller) -> None:
    identifier = service(admin)
    path = f"/services/{identifier}"
    assert admin.ask("GET", path)["service"]["enabled"] is True
    assert admin.ask("PATCH", path, {"service": {"description": "d", "colour": "x"}})["service"]["colour"] == "x"
    assert [row["id"] for row in admin.ask("GET", "/services?type=key-manager")["services"]] == [identifier]
    made = endpoint(admin, identifier)
    admin.ask("DELETE", path, status=204)
    admin.ask("GET", path, status=404)
    admin.ask("GET", f"/endpoints/{made['id']}", status=404)


def test_endpoints_reach_the_catalog(admin: Caller, demo: Caller) -> None:
    identifier = service(admin)
    made = endpoint(admin, identifier, "http://other/v1/$(project_id)s", region="RegionTwo")
    assert made["region_id"] == made["region"] == "RegionTwo"
    assert catalog(demo)["key-manager"] == [f"http://other/v1/{demo.project_id}"]
    assert catalog(log_in(demo.client, "demo", unscoped=True))["key-manager"] == []
    path = f"/endpoints/{made['id']}"
    assert admin.ask("PATCH", path, {"endpoint": {"enabled": False}})["endpoint"]["enabled"] is False
    assert catalog(demo)["key-manager"] == []
    admin.ask("PATCH", f"/services/{identifier}", {"service": {"enabled": False}})
    assert "key-manager" not in catalog(demo)
    assert len(admin.ask("GET", f"/endpoints?service_id={identifier}")["endpoints"]) == 1
    assert len(admin.ask("GET", "/endpoints?region_id=RegionTwo&interface=public")["endpoints"]) == 1
    admin.ask("DELETE", path, status=204)


@pytest.mark.parametrize(
    "change",
    [
        {"interface": "secret"},
        {"url": "no-address"},
        {"url": "http://x/%(admin_password)s"},
        {"service_id": "nothing"},
        {"region_id": "nowhere"},
        {"enabled": "yes"},
    ],
)
def test_bad_endpoints(admin: Caller, change: Json) -> None:
    body = {"service_id": service(admin), "interface": "public", "url": "http://x"}
    admin.ask("POST", "/endpoints", {"endpoint": body | change}, status=400)
    admin.ask("POST", "/endpoints", {"endpoint": {"url": "http://x"}}, status=400)
    admin.ask("POST", "/services", {"service": {"name": "x"}}, status=400)
    assert len(admin.ask("GET", "/endpoints")["endpoints"]) == 3


def test_the_clouds_own_are_shown_and_kept(admin: Caller) -> None:
    [own] = admin.ask("GET", "/services")["services"]
    assert (own["type"], own["name"]) == ("identity", "identity")
    endpoints = admin.ask("GET", f"/endpoints?service_id={own['id']}")["endpoints"]
    assert {row["interface"] for row in endpoints} == {"public", "internal", "admin"}
    for path in (f"/services/{own['id']}", f"/endpoints/{endpoints[0]['id']}", "/regions/RegionOne"):
        admin.ask("GET", path)
        admin.ask("DELETE", path, status=403)
    admin.ask("PATCH", f"/services/{own['id']}", {"service": {"enabled": False}}, status=403)
    assert endpoint(admin, own["id"], region_id="RegionOne")["service_id"] == own["id"]


def test_regions(client: TestClient, admin: Caller) -> None:
    made = admin.ask("POST", "/regions", {"region": {"id": "a", "description": "d"}}, status=201)["region"]
    assert (made["id"], made["parent_region_id"]) == ("a", None)
    assert admin.ask("POST", "/regions", {"region": {}}, status=201)["region"]["id"]
    admin.ask("PUT", "/regions/b", {"region": {"parent_region_id": "a"}}, status=201)
    admin.ask("PUT", "/regions/b", {"region": {}}, status=409)
    admin.ask("PUT", "/regions/c", {"region": {"id": "d"}}, status=400)
    admin.ask("POST", "/regions", {"region": {"id": "RegionOne"}}, status=409)
    admin.ask("POST", "/regions", {"region": {"parent_region_id": "nowhere"}}, status=404)
    admin.ask("PATCH", "/regions/a", {"region": {"parent_region_id": "b"}}, status=400)
    assert [row["id"] for row in admin.ask("GET", "/regions?parent_region_id=a")["regions"]] == ["b"]
    admin.ask("DELETE", "/regions/a", status=403)
    admin.ask("DELETE", "/regions/b", status=204)
    admin.ask("DELETE", "/regions/a", status=204)
    admin.ask("GET", "/regions/a", status=404)


def test_lists_are_narrowed_and_paged(admin: Caller) -> None:
    made = {kind: service(admin, kind) for kind in ("one", "two", "three")}
    admin.ask("PATCH", f"/services/{made['two']}", {"service": {"enabled": False, "name": "Other"}})

    def types(query: str) -> list[str]:
        return [row["type"] for row in admin.ask("GET", f"/services{query}")["services"]]

    everything = ["identity", "one", "three", "two"]
    assert types("") == everything
    assert types("?colour=red") == everything
    assert types("?name=n") == ["one", "three"]
    assert types("?name__icontains=OTH") == ["two"]
    assert types("?name__contains=OTH") == []
    assert types("?type__startswith=t") == ["three", "two"]
    assert types("?enabled=false") == ["two"]
    assert types("?name=n&type=one") == ["one"]
    found: list[str] = []
    marker = ""
    for _ in range(2):
        page = admin.ask("GET", f"/services?limit=2{marker}")
        found += [row["type"] for row in page["services"]]
        marker = f"&marker={page['services'][-1]['id']}"
        assert (page["links"]["next"] is None) == (len(found) == 4)
    assert found == everything
    assert "type=one" in admin.ask("GET", "/services?limit=1&type=one")["links"]["self"]
    assert types("?limit=0") == []
    for wrong in ("limit=-1", "limit=x", "limit=" + "9" * 5000, "marker=x", "enabled=maybe"):
        admin.ask("GET", f"/services?{wrong}", status=400)
    assert len(admin.ask("GET", "/endpoints?limit=2")["endpoints"]) == 2
    assert len(admin.ask("GET", "/regions?limit=2")["regions"]) == 1


def test_heads(client: TestClient, admin: Caller) -> None:
    for path in ("services", "endpoints", "regions", "regions/RegionOne"):
        reply = client.head(f"/identity/v3/{path}", headers={"x-auth-token": admin.token})
        assert (reply.status_code, reply.content) == (200, b"")


def test_only_administrators_change_the_catalog(admin: Caller, demo: Caller) -> None:
    identifier = service(admin)
    made = endpoint(admin, identifier)["id"]
    demo.ask("GET", "/regions")
    for path in ("/services", "/endpoints", f"/services/{identifier}", f"/endpoints/{made}", "/services/nothing"):
        demo.ask("GET", path, status=403)
    for path in (f"/services/{identifier}", f"/endpoints/{made}", "/regions/RegionOne"):
        demo.ask("DELETE", path, status=403)
    demo.ask("PUT", "/regions/x", {"region": {}}, status=403)
