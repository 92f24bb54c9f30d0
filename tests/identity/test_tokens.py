"""Logging in, scopes, and the life of a token."""

import time
from datetime import datetime
from typing import Any

import pytest
from starlette.testclient import TestClient

from pileus.identity.manifest import MANIFEST
from pileus.identity.projects.models import Project
from pileus.identity.tokens import revocation
from pileus.identity.tokens.memory import FRESH
from pileus.identity.tokens.payload import now_ms
from pileus.identity.users.models import User
from pileus.kernel.cloud import Cloud
from tests.identity.people import PASSWORDS, Caller, Json, auth_body, log_in

AUTH = "/identity/v3/auth/tokens"


def post(client: TestClient, methods: list[str], scope: object = None, **data: Any) -> Any:
    auth: Json = {"identity": {"methods": methods, **data}}
    return client.post(AUTH, json={"auth": auth | ({} if scope is None else {"scope": scope})})


def rescope(caller: Caller, scope: object = None) -> Any:
    return post(caller.client, ["token"], scope, token={"id": caller.token})


def test_a_project_token(client: TestClient) -> None:
    admin = log_in(client, "admin", project="admin")
    assert {role["name"] for role in admin.body["roles"]} == {"admin", "manager", "member", "reader"}
    assert admin.body["project"]["domain"] == {"id": "default", "name": "Default"}
    assert admin.body["user"]["domain"] == {"id": "default", "name": "Default"}
    assert admin.body["methods"] == ["password"]
    assert len(admin.token) < 255
    entry = admin.ask("GET", "/auth/catalog")["catalog"][0]
    assert (entry["type"], entry["name"]) == ("identity", "identity")
    assert {e["url"] for e in entry["endpoints"]} == {"http://127.0.0.1:8780/identity"}


def test_the_roles_of_a_member(demo: Caller) -> None:
    assert {role["name"] for role in demo.body["roles"]} == {"member", "reader"}


@pytest.mark.parametrize(
    ("scope", "key", "value"),
    [
        ({"system": {"all": True}}, "system", {"all": True}),
        ({"domain": {"name": "Default"}}, "domain", {"id": "default", "name": "Default"}),
    ],
)
def test_other_scopes(client: TestClient, scope: Json, key: str, value: Json) -> None:
    body = auth_body("admin")
    body["auth"]["scope"] = scope
    token = client.post(AUTH, json=body).json()["token"]
    assert token[key] == value
    assert "project" not in token
    assert (
        client.post(AUTH, json=auth_body("demo") | {"auth": auth_body("demo")["auth"] | {"scope": scope}}).status_code
        == 401
    )


def test_unscoped_has_neither_roles_nor_catalog(client: TestClient) -> None:
    token = log_in(client, "demo", unscoped=True).body
    assert not {"roles", "catalog", "project", "domain", "system"} & token.keys()


def test_the_default_project_is_used(client: TestClient) -> None:
    assert log_in(client, "demo").body["project"]["name"] == "demo"


def test_an_unusable_default_project_gives_an_unscoped_token(client: TestClient, admin: Caller, demo: Caller) -> None:
    admin.ask("PATCH", f"/projects/{demo.project_id}", {"project": {"enabled": False}})
    assert "project" not in log_in(client, "demo").body
    assert client.post(AUTH, json=auth_body("demo", project="demo")).status_code == 401


def test_nocatalog(client: TestClient, demo: Caller) -> None:
    assert "catalog" not in client.post(AUTH + "?nocatalog", json=auth_body("demo", project="demo")).json()["token"]
    shown = demo.ask("GET", "/auth/tokens?nocatalog", headers={"x-subject-token": demo.token})
    assert "catalog" not in shown["token"]


def test_headers(client: TestClient) -> None:
    reply = client.post(AUTH, json=auth_body("demo"))
    assert reply.headers["vary"] == "X-Auth-Token"
    assert reply.headers["x-subject-token"]


def test_wrong_password_and_unknown_user_answer_alike(client: TestClient, admin: Caller) -> None:
    admin.ask("POST", "/users", {"user": {"name": "no-password"}}, status=201)
    replies = [
        client.post(AUTH, json=auth_body("demo", "wrong", project="demo")),
        client.post(AUTH, json=auth_body("nobody", "wrong", project="demo")),
        client.post(AUTH, json=auth_body("no-password", "wrong", project="demo")),
        client.post(AUTH, json=auth_body("demo", PASSWORDS["demo"], project="nowhere")),
        client.post(AUTH, json=auth_body("demo", PASSWORDS["demo"], project="admin")),
    ]
    assert {reply.status_code for reply in replies} == {401}
    assert len({reply.text for reply in replies}) == 1
    assert replies[0].json()["error"]["title"] == "Unauthorized"
    assert "x-subject-token" not in replies[0].headers


@pytest.mark.parametrize(
    ("change", "part"),
    [
        ({"identity": {"methods": ["password"]}}, "auth.identity.password"),
        ({"identity": {"methods": []}}, "at least one"),
        ({"identity": {"methods": "password"}}, "methods"),
        ({"identity": {"methods": ["password"], "password": {"user": {"name": "demo", "password": "x"}}}}, "domain"),
        ({"identity": {"methods": ["password"], "password": {"user": {"id": 5, "password": "x"}}}}, "$.auth.identity"),
        ({"identity": {"methods": ["password"], "password": {"user": {"id": "5"}}}}, "password"),
        ({"identity": {"methods": ["token"], "token": {}}}, "id"),
        ({"scope": {}}, "exactly one"),
        ({"scope": {"project": {"id": "x"}, "domain": {"id": "y"}}}, "exactly one"),
        ({"scope": {"planet": {}}}, "planet"),
        ({"scope": {"project": {"name": "demo"}}}, "domain"),
        ({"scope": {"system": {"all": False}}}, "system"),
        ({"scope": {"system": {"all": "true"}}}, "all"),
        ({"scope": "everything"}, "unscoped"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_bad_logins_say_what_is_wrong(client: TestClient, change: Json, part: str) -> None:
    reply = client.post(AUTH, json={"auth": auth_body("demo")["auth"] | change})
    assert reply.status_code == 400, reply.text
    assert part in reply.json()["error"]["message"]
    assert reply.json()["error"]["code"] == 400


def test_an_unknown_method_is_refused(client: TestClient) -> None:
    assert post(client, ["magic"]).status_code == 401


def test_a_user_by_id(client: TestClient, demo: Caller) -> None:
    reply = post(client, ["password"], password={"user": {"id": demo.user_id, "password": PASSWORDS["demo"]}})
    assert reply.json()["token"]["user"]["name"] == "demo"


def test_all_methods_must_be_the_same_user(client: TestClient, demo: Caller, admin: Caller) -> None:
    user = {"id": demo.user_id, "password": PASSWORDS["demo"]}
    both = post(client, ["password", "token"], password={"user": user}, token={"id": demo.token})
    assert both.json()["token"]["methods"] == ["password", "token"]
    assert post(client, ["password", "token"], password={"user": user}, token={"id": admin.token}).status_code == 401


def test_rescoping_never_prolongs(client: TestClient) -> None:
    first = log_in(client, "admin", unscoped=True)
    second = rescope(first, {"project": {"name": "demo", "domain": {"id": "default"}}})
    token = second.json()["token"]
    assert token["expires_at"] == first.body["expires_at"]
    assert token["audit_ids"][1] == first.body["audit_ids"][0]
    assert token["methods"] == ["password", "token"]
    third = rescope(Caller(client, second.headers["x-subject-token"], token), {"system": {"all": True}})
    assert third.json()["token"]["expires_at"] == first.body["expires_at"]
    assert third.json()["token"]["audit_ids"][1] == first.body["audit_ids"][0]


def test_own_token_is_shown(demo: Caller) -> None:
    subject = {"x-subject-token": demo.token}
    assert demo.ask("GET", "/auth/tokens", headers=subject)["token"] == demo.body
    assert demo.ask("HEAD", "/auth/tokens", headers=subject) is None


def test_who_may_look_at_a_token(admin: Caller, demo: Caller) -> None:
    demo.ask("GET", "/auth/tokens", headers={"x-subject-token": admin.token}, status=403)
    demo.ask("DELETE", "/auth/tokens", headers={"x-subject-token": admin.token}, status=403)
    assert admin.ask("GET", "/auth/tokens", headers={"x-subject-token": demo.token})["token"] == demo.body
    admin.ask("GET", "/auth/tokens", headers={"x-subject-token": "junk"}, status=404)
    admin.ask("GET", "/auth/tokens", status=400)


def test_a_revoked_token_is_over_and_others_are_not(client: TestClient, demo: Caller) -> None:
    other = log_in(client, "demo", project="demo")
    child = rescope(demo, {"project": {"id": demo.project_id}}).headers["x-subject-token"]
    demo.ask("DELETE", "/auth/tokens", headers={"x-subject-token": demo.token}, status=204)
    demo.ask("GET", "/auth/projects", status=401)
    assert rescope(demo).status_code == 404
    assert [p["name"] for p in other.ask("GET", "/auth/projects")["projects"]] == ["demo"]
    Caller(client, child, {}).ask("GET", "/auth/projects")


def change_row(cloud: Cloud, model: type[User] | type[Project], key: str, **values: object) -> None:
    """As another process would: this one is not told."""
    with cloud.db.writing() as db:
        row = db.get(model, key)
        assert row is not None
        for name, value in values.items():
            setattr(row, name, value)


def test_what_other_processes_change_is_seen_within_a_second(
    cloud: Cloud, demo: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert 2 * FRESH < 1
    demo.ask("GET", "/auth/projects")
    change_row(cloud, User, demo.user_id, enabled=False)
    later = time.monotonic() + FRESH
    monkeypatch.setattr("pileus.identity.tokens.authenticator.time.monotonic", lambda: later)
    demo.ask("GET", "/auth/projects", status=401)


def disable_user(admin: Caller, demo: Caller) -> None:
    admin.ask("PATCH", f"/users/{demo.user_id}", {"user": {"enabled": False}})


def delete_user(admin: Caller, demo: Caller) -> None:
    admin.ask("DELETE", f"/users/{demo.user_id}", status=204)


def new_password(admin: Caller, demo: Caller) -> None:
    admin.ask("PATCH", f"/users/{demo.user_id}", {"user": {"password": "another-1"}})


def own_new_password(admin: Caller, demo: Caller) -> None:
    change = {"user": {"original_password": PASSWORDS["demo"], "password": "another-2"}}
    demo.ask("POST", f"/users/{demo.user_id}/password", change, status=204)


def disable_project(admin: Caller, demo: Caller) -> None:
    admin.ask("PATCH", f"/projects/{demo.project_id}", {"project": {"enabled": False}})


def delete_project(admin: Caller, demo: Caller) -> None:
    admin.ask("DELETE", f"/projects/{demo.project_id}", status=204)


def take_role(admin: Caller, demo: Caller) -> None:
    member = admin.ask("GET", "/roles?name=member")["roles"][0]["id"]
    admin.ask("DELETE", f"/projects/{demo.project_id}/users/{demo.user_id}/roles/{member}", status=204)


@pytest.mark.parametrize(
    "change", [disable_user, delete_user, new_password, own_new_password, disable_project, delete_project, take_role]
)
def test_a_token_ends_with_what_it_rests_on(admin: Caller, demo: Caller, change: Any) -> None:
    demo.ask("GET", "/auth/projects")
    change(admin, demo)
    demo.ask("GET", "/auth/projects", status=401)
    admin.ask("GET", "/auth/tokens", headers={"x-subject-token": demo.token}, status=404)


def test_a_token_of_a_disabled_domain_ends(client: TestClient, admin: Caller) -> None:
    made = admin.ask("POST", "/domains", {"domain": {"name": "d"}}, status=201)["domain"]
    person = {"name": "u", "domain_id": made["id"], "password": "pw"}
    user = admin.ask("POST", "/users", {"user": person}, status=201)["user"]
    login = {"user": {"id": user["id"], "password": "pw"}}
    caller = Caller(client, post(client, ["password"], password=login).headers["x-subject-token"], {})
    caller.ask("GET", "/auth/projects")
    admin.ask("PATCH", f"/domains/{made['id']}", {"domain": {"enabled": False}})
    caller.ask("GET", "/auth/projects", status=401)
    assert post(client, ["password"], password=login).status_code == 401


def test_enabling_a_user_again_does_not_revive_tokens(admin: Caller, demo: Caller) -> None:
    disable_user(admin, demo)
    admin.ask("PATCH", f"/users/{demo.user_id}", {"user": {"enabled": True}})
    demo.ask("GET", "/auth/projects", status=401)
    log_in(demo.client, "demo", project="demo").ask("GET", "/auth/projects")


def test_a_taken_role_leaves_the_token_at_once(client: TestClient, admin: Caller) -> None:
    """Admin in demo, by a second role: the token lives on with less."""
    member = admin.ask("GET", "/roles?name=member")["roles"][0]["id"]
    boss = admin.ask("GET", "/roles?name=admin")["roles"][0]["id"]
    user = admin.ask("POST", "/users", {"user": {"name": "two", "password": "pw"}}, status=201)["user"]["id"]
    for role in (member, boss):
        admin.ask("PUT", f"/projects/{admin.project_id}/users/{user}/roles/{role}", status=204)
    two = log_in(client, "two", "pw", project="admin")
    two.ask("GET", "/users")
    admin.ask("DELETE", f"/projects/{admin.project_id}/users/{user}/roles/{boss}", status=204)
    two.ask("GET", "/users", status=403)
    two.ask("GET", "/auth/projects")


def test_times_have_the_documented_form(demo: Caller) -> None:
    issued, expires = (datetime.strptime(demo.body[k], "%Y-%m-%dT%H:%M:%S.%fZ") for k in ("issued_at", "expires_at"))
    assert (expires - issued).total_seconds() == 3600


def test_discovery(client: TestClient) -> None:
    root = client.get("/identity")
    assert root.status_code == 300
    assert root.json()["versions"]["values"][0]["links"][0]["href"] == "http://127.0.0.1:8780/identity/v3/"
    assert client.get("/identity/v3").json()["version"]["id"] == "v3.14"
    assert client.head("/identity/v3").status_code == 200


def test_a_project_in_a_disabled_domain_is_closed_to_users_of_others(admin: Caller, demo: Caller) -> None:
    domain = admin.ask("POST", "/domains", {"domain": {"name": "d"}}, status=201)["domain"]["id"]
    project = admin.ask("POST", "/projects", {"project": {"name": "p", "domain_id": domain}}, status=201)["project"][
        "id"
    ]
    member = admin.ask("GET", "/roles?name=member")["roles"][0]["id"]
    admin.ask("PUT", f"/projects/{project}/users/{demo.user_id}/roles/{member}", status=204)
    token = rescope(demo, {"project": {"id": project}}).headers["x-subject-token"]
    guest = Caller(demo.client, token, {})
    assert len(guest.ask("GET", "/auth/projects")["projects"]) == 2
    admin.ask("PATCH", f"/domains/{domain}", {"domain": {"enabled": False}})
    guest.ask("GET", "/auth/projects", status=401)
    assert rescope(demo, {"project": {"id": project}}).status_code == 401
    assert [p["name"] for p in demo.ask("GET", "/auth/projects")["projects"]] == ["demo"]


def test_json_home(client: TestClient) -> None:
    reply = client.get("/identity/v3", headers={"accept": "application/json-home, application/json;q=0.5"})
    assert (reply.status_code, reply.headers["content-type"], reply.headers["vary"]) == (
        200,
        "application/json-home",
        "Accept",
    )
    found = reply.json()["resources"]
    base = "https://docs.openstack.org/api/openstack-identity/3"
    assert found[f"{base}/rel/users"] == {"href": "/v3/users"}
    assert found[f"{base}/rel/user"] == {
        "href-template": "/v3/users/{user_id}",
        "href-vars": {"user_id": f"{base}/param/user_id"},
    }
    assert f"{base}/ext/OS-INHERIT/1.0/rel/domain_user_role_inherited_to_projects" in found
    paths = {route.path for route in MANIFEST.routes if route.path.startswith("/v3/")}
    assert {where.get("href") or where["href-template"] for where in found.values()} == paths
    assert client.get("/identity/", headers={"accept": "application/json-home"}).json()["resources"] == found


def test_expired_tokens_are_shown_to_those_who_ask_for_them(
    cloud: Cloud, client: TestClient, demo: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A service that works on for a user whose token ended meanwhile."""
    ended, revoked = demo, log_in(client, "demo", project="demo")
    revoked.ask("DELETE", "/auth/tokens", headers={"x-subject-token": revoked.token}, status=204)
    for hours, status in ((2, 200), (48, 200), (50, 404)):
        later = now_ms() + hours * 3_600_000
        with monkeypatch.context() as patched:
            for module in ("payload", "providers.fernet", "memory", "authenticator", "revocation"):
                patched.setattr(f"pileus.identity.tokens.{module}.now_ms", lambda later=later: later, raising=False)
            boss = log_in(client, "admin", system=True)
            subject = {"x-subject-token": ended.token}
            boss.ask("GET", "/auth/tokens", headers=subject, status=404)
            shown = boss.ask("GET", "/auth/tokens?allow_expired=1", headers=subject, status=status)
            assert status == 404 or shown["token"]["expires_at"] == ended.body["expires_at"]
            with cloud.db.writing() as db:
                revocation.flush(db)
            subject = {"x-subject-token": revoked.token}
            boss.ask("GET", "/auth/tokens?allow_expired=1", headers=subject, status=404)
            ended.ask("GET", "/auth/projects", status=401)


def test_the_old_list_of_revoked_tokens_is_gone(admin: Caller, demo: Caller) -> None:
    admin.ask("GET", "/auth/tokens/OS-PKI/revoked", status=410)
    demo.ask("GET", "/auth/tokens/OS-PKI/revoked", status=403)
