"""A domain and the place where its people and teams are, for each driver: the tables, or an LDAP server."""

import uuid
from typing import Any, Protocol

from starlette.testclient import TestClient

from tests.drivers.directory.slapd import SUFFIX, Slapd
from tests.identity.people import Caller, Json

PASSWORD = "right-secret-1"


class Rig(Protocol):
    """`person` and the others act at the source, as its own administrator would: not always through the API."""

    domain_id: str
    admin: Caller

    def person(self, name: str, *, enabled: bool = True, password: str = PASSWORD) -> None: ...
    def remove(self, name: str) -> None: ...
    def enable(self, name: str, enabled: bool) -> None: ...
    def set_password(self, name: str, password: str) -> None: ...
    def team(self, name: str, members: list[str]) -> None: ...
    def leave(self, team: str, name: str) -> None: ...
    def remove_team(self, name: str) -> None: ...


class SqlRig:
    def __init__(self, admin: Caller) -> None:
        self.admin = admin
        self.domain_id = new_domain(admin)

    def person(self, name: str, *, enabled: bool = True, password: str = PASSWORD) -> None:
        body = {"name": name, "domain_id": self.domain_id, "password": password, "enabled": enabled}
        self.admin.ask("POST", "/users", {"user": body}, status=201)

    def remove(self, name: str) -> None:
        self.admin.ask("DELETE", f"/users/{user_id(self, name)}", status=204)

    def enable(self, name: str, enabled: bool) -> None:
        self.admin.ask("PATCH", f"/users/{user_id(self, name)}", {"user": {"enabled": enabled}})

    def set_password(self, name: str, password: str) -> None:
        self.admin.ask("PATCH", f"/users/{user_id(self, name)}", {"user": {"password": password}})

    def team(self, name: str, members: list[str]) -> None:
        body = {"name": name, "domain_id": self.domain_id}
        made = self.admin.ask("POST", "/groups", {"group": body}, status=201)["group"]["id"]
        for member in members:
            self.admin.ask("PUT", f"/groups/{made}/users/{user_id(self, member)}", status=204)

    def leave(self, team: str, name: str) -> None:
        self.admin.ask("DELETE", f"/groups/{group_id(self, team)}/users/{user_id(self, name)}", status=204)

    def remove_team(self, name: str) -> None:
        self.admin.ask("DELETE", f"/groups/{group_id(self, name)}", status=204)


class LdapRig:
    """Its own tree of the server. `options` are more of group `ldap`."""

    def __init__(self, admin: Caller, slapd: Slapd, **options: object) -> None:
        self.admin, self.slapd = admin, slapd
        self.tree = f"ou={uuid.uuid4().hex},{SUFFIX}"
        self.users, self.groups = f"ou=People,{self.tree}", f"ou=Teams,{self.tree}"
        for dn in (self.tree, self.users, self.groups):
            slapd.add(dn, ["organizationalUnit"], {})
        self.domain_id = new_domain(admin)
        self.options = {
            "url": slapd.url,
            "user_tree_dn": self.users,
            "group_tree_dn": self.groups,
            "user_id_attribute": "uid",
            "user_name_attribute": "cn",
            "user_enabled_attribute": "accountEnabled",
            "group_id_attribute": "cn",
            "group_name_attribute": "cn",
            **options,
        }
        self.configure()

    def configure(self, **more: object) -> None:
        self.options |= more
        config = {"identity": {"driver": "ldap"}, "ldap": self.options}
        path = f"/domains/{self.domain_id}/config"
        reply = self.admin.client.put(
            f"/identity/v3{path}", json={"config": config}, headers={"x-auth-token": self.admin.token}
        )
        assert reply.status_code in (200, 201), reply.text

    def dn(self, name: str) -> str:
        return f"uid=id-{name},{self.users}"

    def team_dn(self, name: str) -> str:
        return f"cn={name},{self.groups}"

    def person(self, name: str, *, enabled: bool = True, password: str = PASSWORD, **more: object) -> None:
        facts: Json = {"cn": name, "sn": name, "userPassword": password, "accountEnabled": str(enabled).upper(), **more}
        self.slapd.add(self.dn(name), ["inetOrgPerson", "account2"], {k: v for k, v in facts.items() if v is not None})

    def remove(self, name: str) -> None:
        self.slapd.delete(self.dn(name))

    def enable(self, name: str, enabled: bool) -> None:
        self.slapd.change(self.dn(name), accountEnabled=str(enabled).upper())

    def set_password(self, name: str, password: str) -> None:
        self.slapd.change(self.dn(name), userPassword=password)

    def team(self, name: str, members: list[str]) -> None:
        dns = [self.dn(member) for member in members] or [self.tree]  # groupOfNames is never empty
        self.slapd.add(self.team_dn(name), ["groupOfNames"], {"member": dns})

    def leave(self, team: str, name: str) -> None:
        self.slapd.change(self.team_dn(team), member=[self.tree])

    def remove_team(self, name: str) -> None:
        self.slapd.delete(self.team_dn(name))


def new_domain(admin: Caller) -> str:
    made = admin.ask("POST", "/domains", {"domain": {"name": uuid.uuid4().hex}}, status=201)
    return str(made["domain"]["id"])


def list_users(rig: Rig, query: str = "") -> list[Json]:
    found: list[Json] = rig.admin.ask("GET", f"/users?domain_id={rig.domain_id}{query}")["users"]
    return found


def user_id(rig: Rig, name: str) -> str:
    (found,) = [user["id"] for user in list_users(rig) if user["name"] == name]
    return str(found)


def group_id(rig: Rig, name: str) -> str:
    found = rig.admin.ask("GET", f"/groups?domain_id={rig.domain_id}")["groups"]
    (one,) = [group["id"] for group in found if group["name"] == name]
    return str(one)


def login_body(rig: Rig, name: str, password: str = PASSWORD, scope: Any = "unscoped") -> Json:
    user = {"name": name, "domain": {"id": rig.domain_id}, "password": password}
    return {"auth": {"identity": {"methods": ["password"], "password": {"user": user}}, "scope": scope}}


def log_in(rig: Rig, name: str, password: str = PASSWORD, *, status: int = 201, scope: Any = "unscoped") -> Any:
    """The caller, or the text of the refusal."""
    client: TestClient = rig.admin.client
    reply = client.post("/identity/v3/auth/tokens", json=login_body(rig, name, password, scope))
    assert reply.status_code == status, reply.text
    if status != 201:
        return reply.json()["error"]["message"]
    return Caller(client, reply.headers["x-subject-token"], reply.json()["token"])
