"""Policies that identity keeps for others, and for which endpoints they are."""

import pytest
from starlette.testclient import TestClient

from tests.identity.people import Caller, Json, log_in


def policy(admin: Caller, blob: object = "{}", kind: str = "application/json") -> str:
    return str(admin.ask("POST", "/policies", {"policy": {"type": kind, "blob": blob}}, status=201)["policy"]["id"])


@pytest.mark.parametrize("blob", ["{'a': 'role:b'}", {"a": ["role:b"]}, [1]])
def test_life_of_a_policy(admin: Caller, blob: object) -> None:
    body = {"policy": {"type": "application/json", "blob": blob, "colour": "red"}}
    made = admin.ask("POST", "/policies", body, status=201)["policy"]
    assert {name: made[name] for name in ("type", "blob", "colour")} == body["policy"]
    path = f"/policies/{made['id']}"
    assert admin.ask("GET", path)["policy"] == made
    shown = admin.ask("PATCH", path, {"policy": {"type": "text/plain", "blob": "x"}})["policy"]
    assert (shown["type"], shown["blob"], shown["colour"]) == ("text/plain", "x", "red")
    assert admin.ask("GET", path)["policy"] == shown
    admin.ask("DELETE", path, status=204)
    admin.ask("GET", path, status=404)


def test_policies_are_listed_by_page_and_type(admin: Caller) -> None:
    ids = [policy(admin, kind=kind) for kind in ("b", "a", "b")]
    assert {row["id"] for row in admin.ask("GET", "/policies")["policies"]} == set(ids)
    assert {row["id"] for row in admin.ask("GET", "/policies?type=b")["policies"]} == {ids[0], ids[2]}
    page = admin.ask("GET", "/policies?limit=1")
    assert [row["id"] for row in page["policies"]] == [ids[1]]
    assert f"marker={ids[1]}" in page["links"]["next"]
    assert len(admin.ask("GET", f"/policies?limit=5&marker={ids[1]}")["policies"]) == 2


@pytest.mark.parametrize("wrong", [{"blob": 5}, {"blob": None}, {"type": ""}, {"type": 5}, {"type": "x" * 256}])
def test_bad_policies(admin: Caller, wrong: Json) -> None:
    admin.ask("POST", "/policies", {"policy": {"type": "t", "blob": "b"} | wrong}, status=400)
    admin.ask("PATCH", f"/policies/{policy(admin)}", {"policy": wrong}, status=400)
    admin.ask("POST", "/policies", {"policy": {"type": "t"}}, status=400)


def test_policies_are_an_administrators(client: TestClient, admin: Caller, demo: Caller) -> None:
    identifier = policy(admin)
    [endpoint, *_] = (row["id"] for row in admin.ask("GET", "/endpoints")["endpoints"])
    for path in ("/policies", f"/policies/{identifier}", "/policies/nothing"):
        demo.ask("GET", path, status=403)
    for method in ("GET", "PUT", "DELETE"):
        demo.ask(method, f"/policies/{identifier}/OS-ENDPOINT-POLICY/endpoints/{endpoint}", status=403)
    role = next(row["id"] for row in admin.ask("GET", "/roles?name=reader")["roles"])
    user = admin.ask("POST", "/users", {"user": {"name": "r", "password": "pw"}}, status=201)["user"]["id"]
    admin.ask("PUT", f"/system/users/{user}/roles/{role}", status=204)
    reader = log_in(client, "r", "pw", system=True)
    assert reader.ask("GET", f"/policies/{identifier}")["policy"]["id"] == identifier
    reader.ask("PATCH", f"/policies/{identifier}", {"policy": {"type": "x"}}, status=403)
    reader.ask("GET", "/policies/nothing", status=404)


class Places:
    """A service with endpoints in a region `town`, which is in `land`, and in `sea`."""

    def __init__(self, admin: Caller) -> None:
        self.admin = admin
        for region, above in (("land", None), ("town", "land"), ("sea", None)):
            admin.ask("PUT", f"/regions/{region}", {"region": {"parent_region_id": above}}, status=201)
        self.service = admin.ask("POST", "/services", {"service": {"type": "t"}}, status=201)["service"]["id"]
        self.town, self.sea = self.endpoint("town"), self.endpoint("sea")

    def endpoint(self, region: str) -> str:
        body = {"service_id": self.service, "region_id": region, "interface": "public", "url": "http://x"}
        return str(self.admin.ask("POST", "/endpoints", {"endpoint": body}, status=201)["endpoint"]["id"])

    def ask(self, method: str, policy_id: str, path: str, status: int = 204) -> None:
        self.admin.ask(method, f"/policies/{policy_id}/OS-ENDPOINT-POLICY/{path}", status=status)

    def of(self, endpoint: str) -> str | None:
        path = f"/endpoints/{endpoint}/OS-ENDPOINT-POLICY/policy"
        reply = self.admin.client.get(f"/identity/v3{path}", headers={"x-auth-token": self.admin.token})
        return str(reply.json()["policy"]["id"]) if reply.status_code == 200 else None

    def endpoints(self, policy_id: str) -> set[str]:
        found = self.admin.ask("GET", f"/policies/{policy_id}/OS-ENDPOINT-POLICY/endpoints")["endpoints"]
        return {row["id"] for row in found}


@pytest.fixture
def places(admin: Caller) -> Places:
    return Places(admin)


def test_the_most_specific_policy_holds(admin: Caller, places: Places) -> None:
    service, land, town, own = (policy(admin) for _ in range(4))
    paths = {
        service: f"services/{places.service}",
        land: f"services/{places.service}/regions/land",
        town: f"services/{places.service}/regions/town",
        own: f"endpoints/{places.town}",
    }
    assert places.of(places.town) is None
    for identifier, path in paths.items():
        places.ask("GET", identifier, path, 404)
        places.ask("PUT", identifier, path)
        places.ask("GET", identifier, path)
        places.ask("HEAD", identifier, path)
        assert places.of(places.town) == identifier
        assert places.of(places.sea) == service
    assert places.endpoints(service) == {places.town, places.sea}
    assert places.endpoints(land) == places.endpoints(town) == places.endpoints(own) == {places.town}
    for identifier, path in reversed(paths.items()):
        assert places.of(places.town) == identifier
        places.ask("DELETE", identifier, path)
        places.ask("DELETE", identifier, path, 404)
        assert places.endpoints(identifier) == set()
    assert places.of(places.town) is None


def test_another_policy_takes_the_place(admin: Caller, places: Places) -> None:
    old, new = policy(admin), policy(admin)
    path = f"endpoints/{places.sea}"
    places.ask("PUT", old, path)
    places.ask("PUT", new, path)
    places.ask("PUT", new, path)
    places.ask("GET", old, path, 404)
    places.ask("DELETE", old, path, 404)
    assert places.of(places.sea) == new
    admin.ask("GET", f"/policies/{old}/OS-ENDPOINT-POLICY/policy", status=404)
    assert admin.ask("GET", f"/policies/{new}/OS-ENDPOINT-POLICY/policy")["policy"]["id"] == new


def test_nothing_is_associated_with_what_is_not_there(admin: Caller, places: Places) -> None:
    identifier = policy(admin)
    for path in ("endpoints/x", "services/x", f"services/{places.service}/regions/x"):
        places.ask("PUT", identifier, path, 404)
    places.ask("PUT", "x", f"endpoints/{places.sea}", 404)


def test_associations_end_with_either_side(admin: Caller, places: Places) -> None:
    one, other = policy(admin), policy(admin)
    places.ask("PUT", one, f"services/{places.service}")
    places.ask("PUT", other, f"endpoints/{places.sea}")
    admin.ask("DELETE", f"/policies/{other}", status=204)
    assert places.of(places.sea) == one
    other = policy(admin)
    places.ask("PUT", other, f"endpoints/{places.sea}")
    admin.ask("DELETE", f"/endpoints/{places.sea}", status=204)
    admin.ask("GET", f"/policies/{other}/OS-ENDPOINT-POLICY/policy", status=404)
    places.ask("PUT", other, f"services/{places.service}/regions/sea")
    admin.ask("DELETE", "/regions/sea", status=204)
    admin.ask("GET", f"/policies/{other}/OS-ENDPOINT-POLICY/policy", status=404)
    admin.ask("DELETE", f"/services/{places.service}", status=204)
    admin.ask("GET", f"/policies/{one}/OS-ENDPOINT-POLICY/policy", status=404)


def test_the_clouds_own_endpoints_can_have_policies(admin: Caller, places: Places) -> None:
    [own, *_] = (row for row in admin.ask("GET", "/endpoints")["endpoints"] if row["service_id"] != places.service)
    identifier = policy(admin)
    places.ask("PUT", identifier, f"services/{own['service_id']}/regions/RegionOne")
    assert places.of(own["id"]) == identifier
    assert len(places.endpoints(identifier)) == 3
