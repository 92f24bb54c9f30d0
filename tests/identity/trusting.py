"""Trusts in tests: making them, taking them up, and people to trust."""

from typing import Any

from starlette.testclient import TestClient

from tests.identity.people import Caller, Json, log_in

ALL = "/OS-TRUST/trusts"


def newcomers(client: TestClient, admin: Caller) -> dict[str, Caller]:
    """eve, bob and cat: users without any role."""
    found = {}
    for name in ("eve", "bob", "cat"):
        admin.ask("POST", "/users", {"user": {"name": name, "password": "pw"}}, status=201)
        found[name] = log_in(client, name, "pw", unscoped=True)
    return found


def role_ids(admin: Caller) -> dict[str, str]:
    return {role["name"]: role["id"] for role in admin.ask("GET", "/roles")["roles"]}


def make(trustor: Caller, trustee: Caller, *, status: int = 201, **more: Any) -> Json:
    wish = {
        "trustor_user_id": trustor.user_id,
        "trustee_user_id": trustee.user_id,
        "project_id": trustor.body["project"]["id"] if "project" in trustor.body else None,
        "roles": [{"name": "member"}],
        "impersonation": False,
        **more,
    }
    reply: Json = trustor.ask("POST", ALL, {"trust": wish}, status=status)
    made: Json = reply.get("trust", reply)
    return made


def trust_body(token: str, trust_id: str) -> Json:
    scope = {"OS-TRUST:trust": {"id": trust_id}}
    return {"auth": {"identity": {"methods": ["token"], "token": {"id": token}}, "scope": scope}}


def enter(trustee: Caller, trust: Json, *, status: int = 201) -> Caller:
    reply = trustee.client.post("/identity/v3/auth/tokens", json=trust_body(trustee.token, trust["id"]))
    assert reply.status_code == status, reply.text
    return Caller(trustee.client, reply.headers.get("x-subject-token", ""), reply.json().get("token", {}))


def names(caller: Caller) -> set[str]:
    return {role["name"] for role in caller.body["roles"]}


def alive(caller: Caller) -> bool:
    headers = {"x-auth-token": caller.token}
    status = caller.client.get("/identity/v3/auth/catalog", headers=headers).status_code
    assert status in (200, 401)
    return status == 200
