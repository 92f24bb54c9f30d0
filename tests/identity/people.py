"""Callers of identity's API in tests: who they are, and how they log in."""

from dataclasses import dataclass
from typing import Any

from starlette.testclient import TestClient

PASSWORDS = {"admin": "admin-secret-1", "demo": "demo-secret-2"}
Json = dict[str, Any]


@dataclass(frozen=True)
class Caller:
    """A logged-in user. `ask` sends a request with its token and checks the status."""

    client: TestClient
    token: str
    body: Json

    @property
    def user_id(self) -> str:
        return str(self.body["user"]["id"])

    @property
    def project_id(self) -> str:
        return str(self.body["project"]["id"])

    def ask(
        self, method: str, path: str, body: object = None, *, status: int = 200, headers: Json | None = None
    ) -> Any:
        sent = {"x-auth-token": self.token, **(headers or {})}
        reply = self.client.request(method, f"/identity/v3{path}", json=body, headers=sent)
        assert reply.status_code == status, f"{method} {path}: {reply.status_code} {reply.text}"
        return reply.json() if reply.content else None


def auth_body(name: str, password: str | None = None, **scope: Any) -> Json:
    """`project="demo"`, `domain="default"`, `system=True`, `unscoped=True`, or nothing."""
    user = {"name": name, "domain": {"id": "default"}, "password": password or PASSWORDS[name]}
    auth: Json = {"identity": {"methods": ["password"], "password": {"user": user}}}
    if "project" in scope:
        auth["scope"] = {"project": {"name": scope["project"], "domain": {"id": "default"}}}
    elif "domain" in scope:
        auth["scope"] = {"domain": {"id": scope["domain"]}}
    elif "system" in scope:
        auth["scope"] = {"system": {"all": True}}
    elif "unscoped" in scope:
        auth["scope"] = "unscoped"
    return {"auth": auth}


def log_in(client: TestClient, name: str, password: str | None = None, **scope: Any) -> Caller:
    reply = client.post("/identity/v3/auth/tokens", json=auth_body(name, password, **scope))
    assert reply.status_code == 201, reply.text
    return Caller(client, reply.headers["x-subject-token"], reply.json()["token"])
