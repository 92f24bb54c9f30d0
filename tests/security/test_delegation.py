"""Tokens made from tokens and credentials: never more, never longer; ended within a second (OSSA-2026-005, CVE-2026-44394)."""

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.security.world import World, password_of, project


def auth(methods: dict[str, Any], scope: object = None) -> dict[str, Any]:
    made: dict[str, Any] = {"identity": {"methods": list(methods), **methods}}
    return {"auth": made | ({"scope": scope} if scope is not None else {})}


def told(world: World, token: str) -> Any:
    answer = world.client.ask("GET", "/identity/v3/auth/tokens", token=token, headers={"x-subject-token": token})
    assert answer.status == 200, answer.body
    return answer.json["token"]


def from_token(world: World, token: str, scope: object) -> str | None:
    answer = world.client.ask("POST", "/identity/v3/auth/tokens", auth({"token": {"id": token}}, scope))
    return answer.headers.get("x-subject-token")


def from_credential(world: World, credential: dict[str, str], scope: object = None) -> str | None:
    answer = world.client.ask("POST", "/identity/v3/auth/tokens", auth({"application_credential": credential}, scope))
    return answer.headers.get("x-subject-token")


def roles(body: Any) -> set[str]:
    return {role["name"] for role in body.get("roles", ())}


SCOPES: tuple[object, ...] = (
    project("red"), project("blue"), project("admin"), {"domain": {"id": "default"}}, {"system": {"all": True}}, "unscoped"
)  # fmt: skip


@pytest.mark.parametrize("who", ["manager", "member", "reader", "other", "domain", "system", "unscoped"])
def test_a_rescoped_token_has_no_more_and_lasts_no_longer(world: World, who: str) -> None:
    """What the password itself gives in a scope is the most that a token of the same user may give there."""
    first = world.tokens[who] or ""
    parent = told(world, first)
    for scope in SCOPES:
        direct = world.log_in(who, password_of(who), scope)
        token = from_token(world, first, scope)
        assert (token is not None) == (direct.status == 201)
        if token is None:
            continue
        child = told(world, token)
        assert roles(child) <= roles(direct.json["token"])
        assert child["expires_at"] <= parent["expires_at"]
        assert child["user"]["id"] == parent["user"]["id"]
        assert child["audit_ids"][-1] == parent["audit_ids"][-1]


def credential(world: World, who: str, **wish: object) -> dict[str, str]:
    user = world.ids["shared"][f"{who}_id"]
    wish = {"name": f"c{time.monotonic_ns()}", "secret": "Credential-Secret-9", **wish}
    path = f"/identity/v3/users/{user}/application_credentials"
    made = world.must(who, "POST", path, {"application_credential": wish})["application_credential"]
    return {"id": made["id"], "secret": "Credential-Secret-9"}


def test_a_credential_gives_no_more_than_its_maker_had(world: World) -> None:
    user = world.ids["shared"]["member_id"]
    path = f"/identity/v3/users/{user}/application_credentials"
    for name in ("admin", "manager", "service"):
        body = {"application_credential": {"name": f"more-{name}", "roles": [{"name": name}]}}
        assert world.ask("member", "POST", path, body).status == 400, name
    narrow = from_credential(world, credential(world, "member", roles=[{"name": "reader"}]))
    assert narrow is not None and roles(told(world, narrow)) == {"reader"}
    world.tokens["narrow"] = narrow
    network = {"network": {"name": "x"}}
    assert world.ask("narrow", "POST", "/network/v2.0/networks", network).status == 403
    soon = (datetime.now(UTC) + timedelta(minutes=2)).strftime("%Y-%m-%dT%H:%M:%SZ")
    ending = from_credential(world, credential(world, "member", expires_at=soon))
    assert ending is not None and told(world, ending)["expires_at"][:19] <= soon[:19]
    again = from_token(world, ending, project("red"))
    assert again is None or told(world, again)["expires_at"][:19] <= soon[:19]


def test_a_credentials_token_goes_nowhere_else(world: World) -> None:
    narrow = from_credential(world, credential(world, "member", roles=[{"name": "reader"}]))
    assert narrow is not None
    for scope in SCOPES:
        token = from_token(world, narrow, scope)
        if token is not None:
            child = told(world, token)
            assert roles(child) <= {"reader"}, scope
            assert "project" not in child or child["project"]["id"] == world.ids["red"]["project"]
    wanted = {"id": credential(world, "member")["id"], "secret": "wrong"}
    assert from_credential(world, wanted) is None
    assert from_credential(world, credential(world, "member"), project("blue")) is None


def test_a_restricted_credential_makes_and_ends_no_credentials(world: World) -> None:
    user = world.ids["shared"]["member_id"]
    held = credential(world, "member")
    token = from_credential(world, held)
    assert token is not None
    derived = from_token(world, token, None)
    path = f"/identity/v3/users/{user}/application_credentials"
    for one in (token, derived):
        if one is None:
            continue
        world.tokens["restricted"] = one
        assert world.ask("restricted", "POST", path, {"application_credential": {"name": "child"}}).status == 403
        assert world.ask("restricted", "DELETE", f"{path}/{held['id']}").status == 403
    unbound = {"name": "lying", "unrestricted": True}
    assert world.ask("restricted", "POST", path, {"application_credential": unbound}).status == 403


@pytest.fixture
def leaver(world: World) -> Iterator[tuple[str, str]]:
    """A fresh member of red, logged in: user id and token."""
    name = f"leaver{time.monotonic_ns()}"
    user = {"name": name, "password": password_of("leaver"), "domain_id": "default"}
    made = world.must("admin", "POST", "/identity/v3/users", {"user": user})["user"]["id"]
    members = world.must("admin", "GET", "/identity/v3/roles?name=member")["roles"][0]["id"]
    world.must("admin", "PUT", f"/identity/v3/projects/{world.ids['red']['project']}/users/{made}/roles/{members}")
    yield made, world.enter(name, password_of("leaver"), project("red"), known_as="leaver")


def disable(world: World, user: str) -> None:
    world.must("admin", "PATCH", f"/identity/v3/users/{user}", {"user": {"enabled": False}})


def disable_project(world: World, _user: str) -> None:
    path = f"/identity/v3/projects/{world.ids['red']['project']}"
    world.must("admin", "PATCH", path, {"project": {"enabled": False}})


def remove_role(world: World, user: str) -> None:
    members = world.must("admin", "GET", "/identity/v3/roles?name=member")["roles"][0]["id"]
    world.must("admin", "DELETE", f"/identity/v3/projects/{world.ids['red']['project']}/users/{user}/roles/{members}")


def change_password(world: World, user: str) -> None:
    body = {"user": {"original_password": password_of("leaver"), "password": "Another-Secret-5"}}
    world.must("leaver", "POST", f"/identity/v3/users/{user}/password", body)


def set_password(world: World, user: str) -> None:
    world.must("admin", "PATCH", f"/identity/v3/users/{user}", {"user": {"password": "Another-Secret-6"}})


def end_token(world: World, _user: str) -> None:
    token = world.tokens["leaver"] or ""
    world.must("leaver", "DELETE", "/identity/v3/auth/tokens", x_subject_token=token)


def delete_user(world: World, user: str) -> None:
    world.must("admin", "DELETE", f"/identity/v3/users/{user}")


@pytest.mark.parametrize(
    "cause", [disable, remove_role, change_password, set_password, end_token, delete_user, disable_project]
)
def test_a_token_ends_within_a_second(
    world: World, leaver: tuple[str, str], cause: Callable[[World, str], None]
) -> None:
    """Also in another process of the API, which has nothing but the database to learn it from."""
    from pileus.composition import compose
    from pileus.kernel.bus.memory import MemoryBus
    from pileus.kernel.http.app import App
    from tests.security.asgi import Asgi

    user, token = leaver
    second = compose(world.cloud.config, MemoryBus())
    elsewhere = Asgi(App(second, list(world.app.manifests)))
    paths = ("/compute/v2.1/servers", "/network/v2.0/ports", "/image/v2/images")
    try:
        assert [elsewhere.ask("GET", path, token=token).status for path in paths] == [200] * 3
        assert [world.client.ask("GET", path, token=token).status for path in paths] == [200] * 3
        cause(world, user)
        started = time.monotonic()
        assert [world.client.ask("GET", path, token=token).status for path in paths] == [401] * 3
        time.sleep(max(0.0, started + 0.95 - time.monotonic()))
        assert [elsewhere.ask("GET", path, token=token).status for path in paths] == [401] * 3
    finally:
        elsewhere.close()
        second.db.close()
        if cause is disable_project:
            path = f"/identity/v3/projects/{world.ids['red']['project']}"
            world.must("admin", "PATCH", path, {"project": {"enabled": True}})


def test_a_domains_manager_grants_nothing_above_itself(world: World) -> None:
    found = {r["name"]: r["id"] for r in world.must("admin", "GET", "/identity/v3/roles")["roles"]}
    user, red = world.ids["shared"]["domain_id"], world.ids["red"]["project"]
    for place in (f"projects/{red}", "domains/default", "system"):
        for role in ("admin", "service"):
            path = f"/identity/v3/{place}/users/{user}/roles/{found[role]}"
            assert world.ask("domain", "PUT", path).status in (403, 404), (place, role)
