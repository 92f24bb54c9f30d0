"""Application credentials: what they may do, and that it is never more than their user and their parent may."""

from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from pileus.identity.application_credentials.models import ApplicationCredential
from pileus.identity.settings import IdentitySettings
from pileus.identity.tokens.authenticator import TokenAuthenticator
from pileus.kernel import clock
from pileus.kernel.cloud import Cloud
from tests.identity.people import PASSWORDS, Caller, Json, log_in

CHAIN = ("admin", "manager", "member", "reader")


def make(caller: Caller, name: str = "robot", *, status: int = 201, **more: Any) -> Json:
    body = {"application_credential": {"name": name, **more}}
    reply: Json = caller.ask("POST", f"/users/{caller.user_id}/application_credentials", body, status=status)
    made: Json = reply.get("application_credential", reply)
    return made


def login_body(made: Json, **changes: Any) -> Json:
    given = {"id": made["id"], "secret": made["secret"]} | changes
    return {"auth": {"identity": {"methods": ["application_credential"], "application_credential": given}}}


def enter(client: TestClient, made: Json) -> Caller:
    reply = client.post("/identity/v3/auth/tokens", json=login_body(made))
    assert reply.status_code == 201, reply.text
    return Caller(client, reply.headers["x-subject-token"], reply.json()["token"])


def roles(caller: Caller) -> set[str]:
    return {role["name"] for role in caller.body["roles"]}


def test_life(client: TestClient, demo: Caller) -> None:
    made = make(demo, description="d")
    assert (made["project_id"], made["unrestricted"], made["expires_at"]) == (demo.project_id, False, None)
    assert {role["name"] for role in made["roles"]} == {"member", "reader"}
    path = f"/users/{demo.user_id}/application_credentials"
    shown = demo.ask("GET", f"{path}/{made['id']}")["application_credential"]
    assert shown == {key: value for key, value in made.items() if key != "secret"}
    assert demo.ask("GET", path)["application_credentials"] == [shown]
    assert demo.ask("GET", path + "?name=other")["application_credentials"] == []
    make(demo, status=409)
    robot = enter(client, made)
    assert robot.body["project"]["id"] == demo.project_id
    assert robot.body["application_credential"] == {"id": made["id"], "name": "robot", "restricted": True}
    assert robot.body["methods"] == ["application_credential"]
    demo.ask("DELETE", f"{path}/{made['id']}", status=204)
    demo.ask("GET", f"{path}/{made['id']}", status=404)
    robot.ask("GET", "/auth/projects", status=401)
    assert client.post("/identity/v3/auth/tokens", json=login_body(made)).status_code == 401


def test_login_by_name(client: TestClient, demo: Caller) -> None:
    made = make(demo, secret="my-own-secret")
    owner = {"name": "demo", "domain": {"name": "Default"}}
    by_name = login_body({"id": None, "secret": "my-own-secret"}, id=None, name="robot", user=owner)
    assert client.post("/identity/v3/auth/tokens", json=by_name).status_code == 201
    wrong = [
        login_body(made, secret="wrong"),
        login_body(made, id="unknown"),
        login_body(made, id=None, name="robot", user={"name": "nobody", "domain": {"id": "default"}}),
        login_body(made, id=None, name="other", user=owner),
    ]
    replies = [client.post("/identity/v3/auth/tokens", json=body) for body in wrong]
    assert {reply.status_code for reply in replies} == {401}
    assert len({reply.text for reply in replies}) == 1
    assert client.post("/identity/v3/auth/tokens", json=login_body(made, id=None)).status_code == 400


def test_no_scope_can_be_asked_for(client: TestClient, demo: Caller) -> None:
    body = login_body(make(demo))
    body["auth"]["scope"] = {"project": {"id": demo.project_id}}
    assert client.post("/identity/v3/auth/tokens", json=body).status_code == 401


def test_a_restricted_one_makes_no_others_and_no_tokens(client: TestClient, demo: Caller) -> None:
    first = make(demo)
    robot = enter(client, first)
    make(robot, "second", status=403)
    robot.ask("DELETE", f"/users/{demo.user_id}/application_credentials/{first['id']}", status=403)
    exchange = {"auth": {"identity": {"methods": ["token"], "token": {"id": robot.token}}}}
    assert client.post("/identity/v3/auth/tokens", json=exchange).status_code == 403


def test_an_unrestricted_one_makes_others_within_its_own_bounds(client: TestClient, admin: Caller) -> None:
    ends = (clock.now() + timedelta(hours=1)).isoformat()
    robot = enter(client, make(admin, unrestricted=True, roles=[{"name": "member"}], expires_at=ends))
    assert roles(robot) == {"member", "reader"}
    make(robot, "greedy", roles=[{"name": "admin"}], status=400)
    make(robot, "longer", expires_at=(clock.now() + timedelta(hours=2)).isoformat(), status=400)
    child = make(robot, "child", roles=[{"name": "reader"}])
    assert child["expires_at"] == ends
    assert roles(enter(client, child)) == {"reader"}


def test_expiry(cloud: Cloud, client: TestClient, demo: Caller) -> None:
    ends = datetime(2090, 1, 2, 3, 4, 5, 678900)
    made = make(demo, expires_at=ends.isoformat())
    assert made["expires_at"] == ends.isoformat()
    robot = enter(client, made)
    with cloud.db.writing() as db:
        row = db.get(ApplicationCredential, made["id"])
        assert row is not None
        row.expires_at = clock.now() - timedelta(seconds=1)
    cloud.part(TokenAuthenticator).forget()
    demo.ask("GET", "/auth/tokens", headers={"x-subject-token": robot.token}, status=404)
    assert client.post("/identity/v3/auth/tokens", json=login_body(made)).status_code == 401
    make(demo, "past", expires_at="2001-01-01T00:00:00Z", status=400)
    make(demo, "junk", expires_at="tomorrow", status=400)


def test_a_token_never_outlives_its_credential(client: TestClient, demo: Caller) -> None:
    ends = clock.now() + timedelta(minutes=5)
    robot = enter(client, make(demo, expires_at=ends.isoformat()))
    assert robot.body["expires_at"] <= ends.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def test_what_can_not_be_kept_is_refused(demo: Caller) -> None:
    make(demo, "", status=400)
    make(demo, unrestricted="yes", status=400)


def test_it_needs_a_project(client: TestClient) -> None:
    make(log_in(client, "demo", unscoped=True), status=403)
    make(log_in(client, "admin", system=True), status=403)


def test_it_is_its_users_own(client: TestClient, admin: Caller, demo: Caller) -> None:
    made = make(demo)
    path = f"/users/{demo.user_id}/application_credentials"
    admin.ask("POST", path, {"application_credential": {"name": "theirs"}}, status=403)
    assert len(admin.ask("GET", path)["application_credentials"]) == 1
    person = {"name": "eve", "password": "pw", "default_project_id": demo.project_id}
    eve_id = admin.ask("POST", "/users", {"user": person}, status=201)["user"]["id"]
    member = admin.ask("GET", "/roles?name=member")["roles"][0]["id"]
    admin.ask("PUT", f"/projects/{demo.project_id}/users/{eve_id}/roles/{member}", status=204)
    eve = log_in(client, "eve", "pw", project="demo")
    eve.ask("GET", path, status=403)
    eve.ask("GET", f"{path}/{made['id']}", status=403)
    eve.ask("GET", f"{path}/nothing", status=403)
    eve.ask("DELETE", f"{path}/{made['id']}", status=403)
    eve.ask("GET", f"/users/{eve_id}/application_credentials/{made['id']}", status=404)


def test_it_ends_with_any_of_the_users_roles(client: TestClient, admin: Caller, demo: Caller) -> None:
    """One of two roles is taken: the credential is not worth the other."""
    ids = {role["name"]: role["id"] for role in admin.ask("GET", "/roles")["roles"]}
    path = f"/projects/{demo.project_id}/users/{demo.user_id}/roles/"
    admin.ask("PUT", path + ids["manager"], status=204)
    made = make(log_in(client, "demo", project="demo"))
    robot = enter(client, made)
    assert roles(robot) == {"manager", "member", "reader"}
    admin.ask("DELETE", path + ids["manager"], status=204)
    robot.ask("GET", "/auth/projects", status=401)
    assert client.post("/identity/v3/auth/tokens", json=login_body(made)).status_code == 401


def test_lists(client: TestClient, demo: Caller) -> None:
    made = {name: make(demo, name)["id"] for name in ("b", "a", "Ab")}
    path = f"/users/{demo.user_id}/application_credentials"

    def found(query: str) -> list[str]:
        return [row["name"] for row in demo.ask("GET", path + query)["application_credentials"]]

    assert found("") == ["Ab", "a", "b"]
    assert found("?name=a") == ["a"]
    assert found("?name__icontains=A") == ["Ab", "a"]
    first = demo.ask("GET", path + "?limit=2")
    following = client.get(first["links"]["next"], headers={"x-auth-token": demo.token}).json()
    assert [row["id"] for row in following["application_credentials"]] == [made["b"]]


def test_how_many(cloud: Cloud, demo: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    few = msgspec.structs.replace(cloud.settings(IdentitySettings), application_credentials_per_user=2)
    monkeypatch.setattr(cloud, "settings", lambda _shape: few)
    first = make(demo, "one")
    make(demo, "two")
    assert "2" in make(demo, "three", status=403)["error"]["message"]
    demo.ask("DELETE", f"/users/{demo.user_id}/application_credentials/{first['id']}", status=204)
    make(demo, "three")


def test_it_ends_with_the_users_role(client: TestClient, admin: Caller, demo: Caller) -> None:
    made = make(demo)
    robot = enter(client, made)
    member = admin.ask("GET", "/roles?name=member")["roles"][0]["id"]
    admin.ask("DELETE", f"/projects/{demo.project_id}/users/{demo.user_id}/roles/{member}", status=204)
    robot.ask("GET", "/auth/projects", status=401)
    assert client.post("/identity/v3/auth/tokens", json=login_body(made)).status_code == 401


@pytest.mark.parametrize("change", ["password", "enabled"])
def test_it_ends_with_its_user(client: TestClient, admin: Caller, demo: Caller, change: str) -> None:
    robot = enter(client, make(demo))
    values: Json = {"password": {"password": PASSWORDS["demo"]}, "enabled": {"enabled": False}}
    admin.ask("PATCH", f"/users/{demo.user_id}", {"user": values[change]})
    robot.ask("GET", "/auth/projects", status=401)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    held=st.sets(st.sampled_from(CHAIN), min_size=1), left=st.sets(st.sampled_from(CHAIN)), asked=st.sampled_from(CHAIN)
)
def test_delegated_is_never_more_than_held(
    client: TestClient, admin: Caller, held: set[str], left: set[str], asked: str
) -> None:
    """Give `held`, delegate `asked`, take all but `left`: the robot has all that was delegated, or nothing."""
    ids = {role["name"]: role["id"] for role in admin.ask("GET", "/roles")["roles"]}
    old = admin.ask("GET", "/users?name=tmp")["users"]
    if old:
        admin.ask("DELETE", f"/users/{old[0]['id']}", status=204)
    user = admin.ask("POST", "/users", {"user": {"name": "tmp", "password": "pw"}}, status=201)["user"]["id"]
    path = f"/projects/{admin.project_id}/users/{user}/roles/"
    for name in held:
        admin.ask("PUT", path + ids[name], status=204)
    caller = log_in(client, "tmp", "pw", project="admin")
    if asked not in roles(caller):
        make(caller, roles=[{"name": asked}], status=400)
        return
    made = make(caller, roles=[{"name": asked}])
    for name in held - left:
        admin.ask("DELETE", path + ids[name], status=204)
    reply = client.post("/identity/v3/auth/tokens", json=login_body(made))
    still = {below for name in held & left for below in CHAIN[CHAIN.index(name) :]}
    given = set(CHAIN[CHAIN.index(asked) :])
    expected = given if given <= still else set()
    assert (set() if reply.status_code == 401 else {r["name"] for r in reply.json()["token"]["roles"]}) == expected
