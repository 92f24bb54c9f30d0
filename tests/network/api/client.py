"""Short words for the API's calls, as one persona."""

from typing import Any

from starlette.testclient import TestClient

from pileus.kernel.http.call import Json

COLLECTIONS = {"security_group": "security-groups", "security_group_rule": "security-group-rules"}


class Api:
    """`status` is what the reply must have; the body comes back without its envelope."""

    def __init__(self, http: TestClient, token: str) -> None:
        self.http = http
        self.headers = {"x-auth-token": token}

    def call(
        self, method: str, path: str, body: object = None, status: int = 200, headers: dict[str, str] | None = None
    ) -> Any:
        reply = self.http.request(
            method, f"/network/v2.0/{path}", json=body, headers={**self.headers, **(headers or {})}
        )
        assert reply.status_code == status, f"{method} {path} -> {reply.status_code} {reply.text}"
        return reply.json() if reply.content else None

    def make(self, kind: str, **attributes: object) -> Json:
        made: Json = self.call("POST", path_of(kind), {kind: attributes}, 201)[kind]
        return made

    def refused(self, status: int, kind: str, **attributes: object) -> str:
        """The error's type of a create that fails."""
        return fault(self.call("POST", path_of(kind), {kind: attributes}, status))

    def show(self, kind: str, one: str, status: int = 200) -> Json:
        body = self.call("GET", f"{path_of(kind)}/{one}", None, status)
        shown: Json = body[kind] if status == 200 else body
        return shown

    def change(self, kind: str, one: str, status: int = 200, /, **attributes: object) -> Json:
        body = self.call("PUT", f"{path_of(kind)}/{one}", {kind: attributes}, status)
        changed: Json = body[kind] if status == 200 else body
        return changed

    def drop(self, kind: str, one: str, status: int = 204) -> Any:
        return self.call("DELETE", f"{path_of(kind)}/{one}", None, status)

    def list(self, kind: str, query: str = "") -> list[Json]:
        body = self.call("GET", f"{path_of(kind)}?{query}")
        rows: list[Json] = body[path_of(kind).replace("-", "_")]
        return rows


def path_of(kind: str) -> str:
    return COLLECTIONS.get(kind, kind + "s")


def fault(body: Json) -> str:
    kind: str = body["NeutronError"]["type"]
    assert body["NeutronError"]["message"]
    return kind


def net(api: Api, cidr: str = "10.0.0.0/24", **more: object) -> tuple[Json, Json]:
    """A network with one subnet."""
    network = api.make("network", name="net")
    return network, api.make("subnet", network_id=network["id"], ip_version=4, cidr=cidr, **more)


def public(admin: Api) -> tuple[Json, Json]:
    """An external network, as seeds make it."""
    network = admin.make(
        "network",
        name="public",
        **{"router:external": True, "provider:network_type": "flat", "provider:physical_network": "public"},
    )
    return network, admin.make(
        "subnet", network_id=network["id"], ip_version=4, cidr="172.24.4.0/24", enable_dhcp=False
    )
