"""Users and groups."""

from typing import Any

import msgspec
import pytest
from starlette.testclient import TestClient

from pileus.identity.settings import IdentitySettings
from pileus.kernel.cloud import Cloud
from tests.identity.conftest import QUICK
from tests.identity.people import Caller, Json


def make(admin: Caller, name: str = "kim", **more: Any) -> Json:
    made: Json = admin.ask("POST", "/users", {"user": {"name": name, **more}}, status=201)["user"]
    return made


def test_life(admin: Caller) -> None:
    made = make(admin, email="k@example.com", description="d", password="pw")
    assert made.items() >= {"name": "kim", "domain_id": "default", "enabled": True, "email": "k@example.com"}.items()
    assert "password" not in made
    path = f"/users/{made['id']}"
    assert admin.ask("GET", path)["user"] == made
    changed = admin.ask("PATCH", path, {"user": {"name": "lee", "email": "l@example.com"}})["user"]
    assert changed == made | {"name": "lee", "email": "l@example.com"}
    admin.ask("PATCH", path, {"user": {"name": "demo"}}, status=409)
    admin.ask("PATCH", path, {"user": {"domain_id": "other"}}, status=400)
    admin.ask("DELETE", path, status=204)
    admin.ask("GET", path, status=404)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"user": {"name": "x", "password": 5}}, 400),
        ({"user": {"name": "x", "enabled": "true"}}, 400),
        ({"user": {"name": "x", "domain_id": "nowhere"}}, 404),
        ({"user": {"name": "x", "options": {"lock": True}}}, 400),
        ({"user": {"name": "x" * 256}}, 400),
        ({"user": {"name": "x", "password": "p" * 4097}}, 400),
        ({"user": {"password": "x"}}, 400),
        ({"user": {"name": "demo"}}, 409),
        ({"user": []}, 400),
    ],
)
def test_bad_bodies(admin: Caller, body: Json, status: int) -> None:
    assert admin.ask("POST", "/users", body, status=status)["error"]["code"] == status
    assert admin.ask("GET", "/users?name=x")["users"] == []


def test_extra_attributes_never_hide_real_ones(admin: Caller) -> None:
    made = make(admin, id="chosen", links={"self": "evil"}, password_expires_at="never", token_epoch=9)
    assert made["id"] != "chosen"
    assert made["links"]["self"].endswith(made["id"])
    assert made["password_expires_at"] is None


def test_names_are_exact_and_unique_in_a_domain(admin: Caller) -> None:
    make(admin, "Kim")
    make(admin, "kim")
    other = admin.ask("POST", "/domains", {"domain": {"name": "d"}}, status=201)["domain"]["id"]
    make(admin, "kim", domain_id=other)
    assert len(admin.ask("GET", "/users?name=kim")["users"]) == 2


def test_groups_and_members(admin: Caller) -> None:
    group = admin.ask("POST", "/groups", {"group": {"name": "g", "description": "d"}}, status=201)["group"]
    path = f"/groups/{group['id']}"
    kim = make(admin)["id"]
    one = f"{path}/users/{kim}"
    admin.ask("GET", one, status=404)
    admin.ask("HEAD", one, status=404)
    admin.ask("PUT", one, status=204)
    admin.ask("PUT", one, status=204)
    admin.ask("HEAD", one, status=204)
    assert [u["id"] for u in admin.ask("GET", path + "/users")["users"]] == [kim]
    assert [g["id"] for g in admin.ask("GET", f"/users/{kim}/groups")["groups"]] == [group["id"]]
    admin.ask("DELETE", one, status=204)
    admin.ask("DELETE", one, status=404)
    admin.ask("PUT", f"{path}/users/nobody", status=404)
    admin.ask("POST", "/groups", {"group": {"name": "g"}}, status=409)
    assert admin.ask("PATCH", path, {"group": {"name": "h"}})["group"]["name"] == "h"
    admin.ask("PUT", one, status=204)
    admin.ask("DELETE", path, status=204)
    admin.ask("GET", path, status=404)
    assert admin.ask("GET", f"/users/{kim}/groups")["groups"] == []


def test_lists_are_whole_unless_the_operator_says_how_long(cloud: Cloud, admin: Caller) -> None:
    kinds = ("users", "groups", "projects", "domains", "roles", "role_assignments")
    for name in ("a", "b", "c"):
        admin.ask("POST", "/groups", {"group": {"name": name}}, status=201)
        admin.ask("POST", "/domains", {"domain": {"name": name}}, status=201)
    whole = {kind: admin.ask("GET", f"/{kind}")[kind] for kind in kinds}
    cloud.config._by_type[IdentitySettings] = msgspec.structs.replace(QUICK, list_limit=2)
    for kind in kinds:
        found, page = [], admin.ask("GET", f"/{kind}")
        assert page["truncated"] is True
        while True:
            assert len(page[kind]) <= 2
            found += page[kind]
            if (link := page["links"]["next"]) is None:
                break
            page = admin.ask("GET", link.partition("/v3")[2])
        assert found == whole[kind]
        assert "truncated" not in page
        asked = admin.ask("GET", f"/{kind}?limit=3")
        assert (len(asked[kind]), "truncated" in asked) == (3, False)


def provider(admin: Caller, name: str, domain_id: str) -> None:
    rules = [{"local": [{"user": {"name": "{0}"}}], "remote": [{"type": "REMOTE_USER"}]}]
    admin.ask("PUT", f"/OS-FEDERATION/mappings/{name}-m", {"mapping": {"rules": rules}}, status=201)
    admin.ask(
        "PUT",
        f"/OS-FEDERATION/identity_providers/{name}",
        {"identity_provider": {"domain_id": domain_id, "enabled": True}},
        status=201,
    )
    path = f"/OS-FEDERATION/identity_providers/{name}/protocols/openid"
    admin.ask("PUT", path, {"protocol": {"mapping_id": f"{name}-m"}}, status=201)


def known_as(*unique_ids: str, idp: str = "idp", protocol: str = "openid") -> Json:
    ways = [{"protocol_id": protocol, "unique_id": unique_id} for unique_id in unique_ids]
    return {"federated": [{"idp_id": idp, "protocols": ways}]}


def test_whom_providers_know_a_user_as(admin: Caller) -> None:
    provider(admin, "idp", "default")
    kim = make(admin, "kim", **known_as("k1", "k2"))
    path = f"/users/{kim['id']}"
    assert {"federated": kim["federated"]} == known_as("k1", "k2")
    assert admin.ask("GET", path)["user"] == kim
    make(admin, "lee")
    for query in ("idp_id=idp", "protocol_id=openid", "unique_id=k2", "idp_id=idp&unique_id=k1&protocol_id=openid"):
        assert [user["name"] for user in admin.ask("GET", f"/users?{query}")["users"]] == ["kim"]
    assert admin.ask("GET", "/users?unique_id=k3")["users"] == []
    admin.ask("POST", "/users", {"user": {"name": "max", **known_as("k1")}}, status=409)
    for bad in (known_as("x", idp="none"), known_as("x", protocol="none"), {"federated": [{"idp_id": "idp"}]}):
        admin.ask("POST", "/users", {"user": {"name": "max", **bad}}, status=400)
    assert admin.ask("GET", "/users?name=max")["users"] == []
    changed = admin.ask("PATCH", path, {"user": known_as("k2", "k3")})["user"]
    assert {"federated": changed["federated"]} == known_as("k2", "k3")
    assert "federated" not in admin.ask("PATCH", path, {"user": {"federated": []}})["user"]


def test_a_domain_manager_links_only_to_providers_of_the_domain(client: TestClient, admin: Caller) -> None:
    other = admin.ask("POST", "/domains", {"domain": {"name": "d"}}, status=201)["domain"]["id"]
    provider(admin, "idp", "default")
    provider(admin, "own", other)
    manager = admin.ask("GET", "/roles?name=manager")["roles"][0]["id"]
    boss = make(admin, "boss", domain_id=other, password="pw")["id"]
    admin.ask("PUT", f"/domains/{other}/users/{boss}/roles/{manager}", status=204)
    login = {"methods": ["password"], "password": {"user": {"id": boss, "password": "pw"}}}
    auth = {"auth": {"identity": login, "scope": {"domain": {"id": other}}}}
    reply = client.post("/identity/v3/auth/tokens", json=auth)
    caller = Caller(client, reply.headers["x-subject-token"], reply.json()["token"])
    caller.ask("POST", "/users", {"user": {"name": "x", "domain_id": other, **known_as("k")}}, status=403)
    made = {"user": {"name": "x", "domain_id": other, **known_as("k", idp="own")}}
    caller.ask("POST", "/users", made, status=201)
