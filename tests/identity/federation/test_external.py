"""Logins through a trusted front: the whole way from a proof to a token, without any provider."""

import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from pileus.identity.federation.login import parties
from pileus.identity.federation.login.models import ExpiringMembership
from pileus.identity.manifest import MANIFEST
from pileus.kernel import clock
from pileus.kernel.cloud import Cloud
from pileus.kernel.config import ConfigError
from pileus.kernel.http.app import App
from tests.identity.federation.ground import MAPPINGS, PROVIDERS, cloud_with, fields, rule, set_up
from tests.identity.people import Caller, Json, log_in

SETTINGS = """
trusted_fronts = ["10.1.0.0/16"]
trusted_dashboards = ["http://horizon/auth/websso/"]
[identity.federation."acme/mapped"]
type = "external"
headers = {NAME = "x-front-name", GROUPS = "x-front-groups"}
"""
AUTH = "/identity/v3/OS-FEDERATION/identity_providers/acme/protocols/mapped/auth"
WEB = "/identity/v3/auth/OS-FEDERATION/identity_providers/acme/protocols/mapped/websso"
NAME = [{"type": "NAME"}]
RULES = [
    rule(NAME, {"user": {"name": "{0}", "email": "{0}@example.org"}}),
    rule([{"type": "GROUPS"}], {"groups": "{0}", "domain": {"id": "default"}}),
]


@pytest.fixture
def cloud(seeded: Path, tmp_path: Path) -> Iterator[Cloud]:
    shutil.copytree(seeded, tmp_path, dirs_exist_ok=True)
    with cloud_with(tmp_path, SETTINGS) as cloud:
        yield cloud


@pytest.fixture
def client(cloud: Cloud) -> TestClient:
    return TestClient(App(cloud, [MANIFEST]), raise_server_exceptions=False, client=("10.1.2.3", 1))


def enter(client: TestClient, user: str, *groups: str, status: int = 201) -> Caller:
    headers = {"x-remote-user": user, "x-front-name": user, "x-front-groups": ";".join(groups)}
    reply = client.post(AUTH, headers=headers)
    assert reply.status_code == status, reply.text
    return Caller(client, reply.headers.get("x-subject-token", ""), reply.json().get("token", {}))


def group(admin: Caller, name: str, role: str = "reader") -> str:
    """A group of the default domain with a role in project demo."""
    made: str = admin.ask("POST", "/groups", {"group": {"name": name}}, status=201)["group"]["id"]
    role_id = admin.ask("GET", f"/roles?name={role}")["roles"][0]["id"]
    project_id = admin.ask("GET", "/projects?name=demo")["projects"][0]["id"]
    admin.ask("PUT", f"/projects/{project_id}/groups/{made}/roles/{role_id}", status=204)
    return made


def rescope(client: TestClient, caller: Caller, status: int = 201, **scope: Any) -> Caller:
    wanted = scope or {"project": {"name": "demo", "domain": {"id": "default"}}}
    body = {"auth": {"identity": {"methods": ["token"], "token": {"id": caller.token}}, "scope": wanted}}
    reply = client.post("/identity/v3/auth/tokens", json=body)
    assert reply.status_code == status, reply.text
    return Caller(client, reply.headers.get("x-subject-token", ""), reply.json().get("token", {}))


def test_an_unscoped_token_and_what_it_leads_to(client: TestClient, admin: Caller) -> None:
    home = set_up(admin, "acme", "mapped", RULES)["domain_id"]
    members = group(admin, "members")
    ann = enter(client, "ann", "members", "nowhere")
    user = ann.body["user"]
    assert user["name"] == "ann" and user["domain"]["id"] == home
    assert user["OS-FEDERATION"] == {
        "identity_provider": {"id": "acme"},
        "protocol": {"id": "mapped"},
        "groups": [{"id": members}],
    }
    assert ann.body["methods"] == ["mapped"] and "project" not in ann.body
    for path in ("/OS-FEDERATION/projects", "/OS-FEDERATION/projects?x=1"):
        assert [p["name"] for p in ann.ask("GET", path)["projects"]] == ["demo"]
    assert ann.ask("GET", "/OS-FEDERATION/domains")["domains"] == []
    scoped = rescope(client, ann)
    assert {role["name"] for role in scoped.body["roles"]} == {"reader"}
    assert scoped.body["user"]["OS-FEDERATION"] == user["OS-FEDERATION"]
    assert scoped.body["expires_at"] == ann.body["expires_at"]  # CVE-2026-44394: never more time
    again = rescope(client, scoped, project={"id": scoped.project_id})
    assert again.body["expires_at"] == ann.body["expires_at"]
    assert again.body["user"]["OS-FEDERATION"] == user["OS-FEDERATION"]
    shown = client.get("/identity/v3/auth/tokens", headers={"x-auth-token": admin.token, "x-subject-token": ann.token})
    assert shown.json()["token"]["user"]["OS-FEDERATION"] == user["OS-FEDERATION"]
    assert admin.ask("GET", f"/users/{user['id']}")["user"]["email"] == "ann@example.org"


def test_the_same_user_each_time_and_no_more_groups_than_now(client: TestClient, admin: Caller) -> None:
    set_up(admin, "acme", "mapped", RULES)
    group(admin, "members")
    first, second = enter(client, "ann", "members"), enter(client, "ann")
    assert first.user_id == second.user_id and enter(client, "bob").user_id != first.user_id
    assert second.body["user"]["OS-FEDERATION"]["groups"] == []
    rescope(client, second, status=401)
    rescope(client, first)


def test_nobody_becomes_a_user_who_is_there_already(client: TestClient, admin: Caller) -> None:
    set_up(admin, "acme", "mapped", RULES, domain_id="default")
    ghost = enter(client, "admin")
    assert ghost.user_id != admin.user_id
    assert ghost.body["user"]["name"].startswith("admin~")
    rescope(client, ghost, status=401, project={"name": "admin", "domain": {"id": "default"}})


def test_only_the_front_is_believed(cloud: Cloud, admin: Caller) -> None:
    set_up(admin, "acme", "mapped", RULES)
    for peer in ("10.2.0.1", "127.0.0.1", "testclient", "::1"):
        stranger = TestClient(App(cloud, [MANIFEST]), client=(peer, 1))
        enter(stranger, "ann", status=401)
        headers = {"x-remote-user": "admin", "x-forwarded-for": "10.1.2.3"}
        external = {"auth": {"identity": {"methods": ["external"], "external": {}}}}
        assert stranger.post("/identity/v3/auth/tokens", json=external, headers=headers).status_code == 401


def test_method_external(client: TestClient) -> None:
    external = {"auth": {"identity": {"methods": ["external"], "external": {}}}}
    reply = client.post("/identity/v3/auth/tokens", json=external, headers={"x-remote-user": "demo"})
    assert reply.status_code == 201, reply.text
    assert reply.json()["token"]["user"]["name"] == "demo" and reply.json()["token"]["methods"] == ["external"]
    for headers in ({}, {"x-remote-user": "nobody"}):
        assert client.post("/identity/v3/auth/tokens", json=external, headers=headers).status_code == 401


def test_what_is_switched_off_is_shut(client: TestClient, admin: Caller) -> None:
    set_up(admin, "acme", "mapped", RULES)
    ann, path = enter(client, "ann"), f"{PROVIDERS}/acme"
    admin.ask("PATCH", path, {"identity_provider": {"enabled": False}})
    ann.ask("GET", "/auth/projects", status=401)  # its tokens end
    enter(client, "ann", status=403)
    admin.ask("PATCH", path, {"identity_provider": {"enabled": True}})
    ann.ask("GET", "/auth/projects", status=401)
    ann = enter(client, "ann")
    admin.ask("PATCH", f"/users/{ann.user_id}", {"user": {"enabled": False}})
    enter(client, "ann", status=401)
    ann.ask("GET", "/auth/projects", status=401)
    admin.ask("PATCH", f"/users/{ann.user_id}", {"user": {"enabled": True}})
    ann = enter(client, "ann")
    admin.ask("DELETE", f"{path}/protocols/mapped", status=204)
    ann.ask("GET", "/auth/projects", status=401)
    enter(client, "ann", status=404)
    admin.ask("PUT", f"{path}/protocols/mapped", {"protocol": {"mapping_id": "of-acme"}}, status=201)
    assert enter(client, "ann").user_id == ann.user_id
    admin.ask("DELETE", path, status=204)
    enter(client, "ann", status=404)


def test_a_deleted_user_comes_back_without_what_was_there(client: TestClient, admin: Caller) -> None:
    home = set_up(admin, "acme", "mapped", RULES)["domain_id"]
    old = enter(client, "ann")
    admin.ask("PATCH", f"/users/{old.user_id}", {"user": {"password": "Secret-of-ann-1"}})
    admin.ask("DELETE", f"/users/{old.user_id}", status=204)
    enter(client, "ann", "nowhere")
    old.ask("GET", "/auth/projects", status=401)
    user = {"name": "ann", "domain": {"id": home}, "password": "Secret-of-ann-1"}
    body = {"auth": {"identity": {"methods": ["password"], "password": {"user": user}}}}
    assert client.post("/identity/v3/auth/tokens", json=body).status_code == 401


def test_many_first_logins_at_once(cloud: Cloud, client: TestClient, admin: Caller) -> None:
    projects = {"projects": [{"name": "of {0}", "roles": [{"name": "member"}]}]}
    home = set_up(admin, "acme", "mapped", [*RULES, rule(NAME, projects)])["domain_id"]
    others = [TestClient(App(cloud, [MANIFEST]), client=("10.1.2.3", 1)) for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda other: enter(other, "ann").user_id, others))
    assert len(set(found)) == 1
    assert len(admin.ask("GET", f"/users?domain_id={home}")["users"]) == 1
    assert len(admin.ask("GET", f"/projects?domain_id={home}")["projects"]) == 1


def test_memberships_that_outlive_the_login(cloud: Cloud, client: TestClient, admin: Caller) -> None:
    set_up(admin, "acme", "mapped", RULES, authorization_ttl=10)
    members, others = group(admin, "members"), group(admin, "others")
    ann = enter(client, "ann", "members", "others")
    with cloud.db.reading() as db:
        held = {row.group_id: row.expires_at for row in db.query(ExpiringMembership).filter_by(user_id=ann.user_id)}
    assert held.keys() == {members, others}
    assert clock.after(590) < held[members] < clock.after(610)
    enter(client, "ann", "others")
    with cloud.db.reading() as db:
        assert [row.group_id for row in db.query(ExpiringMembership)] == [others]
    admin.ask("PATCH", f"{PROVIDERS}/acme", {"identity_provider": {"enabled": False}})
    with cloud.db.reading() as db:
        assert db.query(ExpiringMembership).count() == 0
    again = {"identity_provider": {"enabled": True, "authorization_ttl": 0}}
    admin.ask("PATCH", f"{PROVIDERS}/acme", again)
    enter(client, "ann", "others")
    with cloud.db.reading() as db:
        assert db.query(ExpiringMembership).count() == 0


def test_projects_are_made_with_their_roles_once(client: TestClient, admin: Caller) -> None:
    projects = [
        {"name": "Production", "roles": [{"name": "reader"}]},
        {"name": "Project of {0}", "roles": [{"name": "admin"}, {"name": "member"}]},
    ]
    home = set_up(admin, "acme", "mapped", [rule(NAME, {"user": {"name": "{0}"}}, {"projects": projects})])["domain_id"]
    ann = enter(client, "ann")
    enter(client, "ann")
    found = admin.ask("GET", f"/projects?domain_id={home}")["projects"]
    assert [project["name"] for project in found] == ["Production", "Project of ann"]
    scoped = rescope(client, ann, project={"id": found[1]["id"]})
    assert {"admin", "member"} <= {role["name"] for role in scoped.body["roles"]}
    assert len(admin.ask("GET", f"/role_assignments?user.id={ann.user_id}")["role_assignments"]) == 3


def test_local_users_are_looked_up_only(client: TestClient, admin: Caller) -> None:
    local = {"user": {"name": "{0}", "type": "local", "domain": {"name": "Default"}}}
    set_up(admin, "acme", "mapped", [rule(NAME, local)])
    demo = enter(client, "demo")
    assert demo.body["user"]["domain"]["id"] == "default" and "OS-FEDERATION" not in demo.body["user"]
    assert demo.user_id == log_in(client, "demo").user_id
    enter(client, "nobody", status=401)


@pytest.mark.parametrize(
    "broken",
    [
        [rule(NAME, {"user": {"name": "{0}"}, "group": {"id": "gone"}})],
        [rule(NAME, {"user": {"name": "{0}"}, "group": {"name": "g", "domain": {"name": "gone"}}})],
        [rule(NAME, {"user": {"name": "{0}"}}, {"projects": [{"name": "p", "roles": [{"name": "gone"}]}]})],
        [rule(NAME, {"user": {"name": "{0}"}}, {"projects": [{"name": "p" * 65, "roles": [{"name": "reader"}]}]})],
        [rule([{"type": "OTHER"}], {"user": {"name": "{0}"}})],
    ],
)
def test_a_mapping_that_can_not_work_leaves_nothing_behind(
    client: TestClient, admin: Caller, broken: list[Json]
) -> None:
    home = set_up(admin, "acme", "mapped", broken)["domain_id"]
    enter(client, "ann", status=401)
    assert admin.ask("GET", f"/users?domain_id={home}")["users"] == []
    assert admin.ask("GET", f"/projects?domain_id={home}")["projects"] == []


def test_remote_ids(client: TestClient, admin: Caller) -> None:
    set_up(admin, "acme", "mapped", RULES, remote_ids=["ann"])
    protocol = f"{PROVIDERS}/acme/protocols/mapped"
    admin.ask("PATCH", protocol, {"protocol": {"remote_id_attribute": "NAME"}})
    enter(client, "ann")
    enter(client, "bob", status=401)
    admin.ask("PATCH", protocol, {"protocol": {"remote_id_attribute": "NOT-THERE"}})
    enter(client, "ann", status=401)


def test_websso(client: TestClient, admin: Caller) -> None:
    set_up(admin, "acme", "mapped", RULES)
    headers = {"x-remote-user": "ann", "x-front-name": "ann"}
    for path in (WEB, "/identity/v3/auth/OS-FEDERATION/websso/mapped", WEB.replace("/protocols/", "/protocol/")):
        reply = client.get(path, params={"origin": "http://horizon/auth/websso/"}, headers=headers)
        assert reply.status_code == 200, reply.text
        action, sent = fields(reply.text)
        assert action == "http://horizon/auth/websso/" and reply.headers["cache-control"] == "no-store"
        assert "form-action http://horizon;" in reply.headers["content-security-policy"]
        assert rescope(client, Caller(client, sent["token"], {}), unscoped={}).body["user"]["name"] == "ann"
    by_form = {"origin": "http://horizon/auth/websso/"}
    reply = client.post("/identity/v3/auth/OS-FEDERATION/websso/mapped", data=by_form, headers=headers)
    assert reply.status_code == 200 and fields(reply.text)[0] == by_form["origin"]
    for origin in ("http://evil/", "http://horizon/auth/websso/x", 'http://horizon/auth/websso/"><script>'):
        assert client.get(WEB, params={"origin": origin}, headers=headers).status_code == 401
    assert client.get(WEB, headers=headers).status_code == 400
    assert (
        client.get("/identity/v3/auth/OS-FEDERATION/websso/none?origin=http://horizon/auth/websso/").status_code == 401
    )


def test_too_many_logins_at_a_time(
    client: TestClient, admin: Caller, cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_up(admin, "acme", "mapped", RULES)
    monkeypatch.setattr(parties, "MOST", 0)
    enter(client, "ann", status=503)
    monkeypatch.undo()
    enter(client, "ann")
    assert cloud.part(parties.Parties)._busy == 0


def test_a_protocol_is_no_method_that_rules_could_ask_for(cloud: Cloud, client: TestClient, admin: Caller) -> None:
    """A federated login must not pass for a password where a user has to log in by several methods."""
    settings = cloud.part(parties.Parties)._settings
    settings["acme/password"] = settings["acme/mapped"]
    set_up(admin, "acme", "password", RULES)
    reply = client.post(AUTH.replace("mapped", "password"), headers={"x-remote-user": "ann", "x-front-name": "ann"})
    assert reply.json()["token"]["methods"] == ["mapped"]


def test_fronts_that_are_none_stop_the_start(seeded: Path, tmp_path: Path) -> None:
    shutil.copytree(seeded, tmp_path, dirs_exist_ok=True)
    with pytest.raises(ConfigError, match="trusted_fronts"), cloud_with(tmp_path, 'trusted_fronts = ["front"]\n'):
        pass


def test_a_way_in_that_the_configuration_does_not_have(client: TestClient, admin: Caller) -> None:
    set_up(admin, "other", "saml2", RULES)
    assert client.get(AUTH.replace("acme", "other").replace("mapped", "saml2")).status_code == 401
    assert client.get(AUTH).status_code == 404
    assert admin.ask("GET", MAPPINGS)["mappings"][0]["id"] == "of-other"
