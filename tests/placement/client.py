"""Placement as its callers speak to it, and the first steps of most walks."""

import uuid

from httpx2 import Response
from starlette.testclient import TestClient

from pileus.kernel.http.call import Json

ADMIN = {"x-auth-token": "ops:admin,manager,member,reader"}
SERVICE = {"x-auth-token": "service:service"}
MEMBER = {"x-auth-token": "p1:member,reader"}
LATEST = "1.39"


class Client:
    def __init__(self, http: TestClient) -> None:
        self.http = http

    def ask(
        self, method: str, path: str, body: object = None, *, version: str = LATEST, who: dict[str, str] = ADMIN
    ) -> Response:
        headers = who | {"openstack-api-version": f"placement {version}"}
        if body is None:
            return self.http.request(method, f"/placement{path}", headers=headers)
        return self.http.request(method, f"/placement{path}", json=body, headers=headers)

    def status(self, method: str, path: str, body: object = None, *, version: str = LATEST) -> int:
        return self.ask(method, path, body, version=version).status_code

    def get(self, path: str, *, version: str = LATEST) -> Json:
        reply = self.ask("GET", path, version=version)
        assert reply.status_code == 200, reply.text
        shown: Json = reply.json()
        return shown

    def fault(self, method: str, path: str, body: object = None, *, version: str = LATEST) -> tuple[int, str]:
        """Status and code of an answer that must be an error in placement's form."""
        reply = self.ask(method, path, body, version=version)
        entry = reply.json()["errors"][0]
        assert entry["status"] == reply.status_code and entry["detail"] and entry["title"], entry
        assert entry["request_id"] == reply.headers["x-openstack-request-id"]
        return reply.status_code, entry["code"]

    def provider(self, name: str, parent: str | None = None, **inventories: int | Json) -> str:
        """A provider with inventories: totals, or whole records."""
        reply = self.ask("POST", "/resource_providers", {"name": name, "parent_provider_uuid": parent})
        assert reply.status_code == 200, reply.text
        provider: str = reply.json()["uuid"]
        records = {k: {"total": v} if isinstance(v, int) else v for k, v in inventories.items()}
        if records:
            body = {"resource_provider_generation": 0, "inventories": records}
            reply = self.ask("PUT", f"/resource_providers/{provider}/inventories", body)
            assert reply.status_code == 200, reply.text
        return provider

    def generation(self, provider: str) -> int:
        generation: int = self.get(f"/resource_providers/{provider}")["generation"]
        return generation

    def set_traits(self, provider: str, *names: str) -> None:
        for name in names:
            if name.startswith("CUSTOM_"):
                assert self.status("PUT", f"/traits/{name}") in (201, 204)
        body = {"resource_provider_generation": self.generation(provider), "traits": list(names)}
        assert self.status("PUT", f"/resource_providers/{provider}/traits", body) == 200

    def set_aggregates(self, provider: str, *ids: str) -> None:
        body = {"resource_provider_generation": self.generation(provider), "aggregates": list(ids)}
        assert self.status("PUT", f"/resource_providers/{provider}/aggregates", body) == 200


def claim(
    *places: tuple[str, Json],
    project: str = "p1",
    generation: int | None = None,
    kind: str = "INSTANCE",
    **more: object,
) -> Json:
    """An allocation body of the newest form."""
    return {
        "allocations": {provider: {"resources": resources} for provider, resources in places},
        "project_id": project,
        "user_id": "u1",
        "consumer_generation": generation,
        "consumer_type": kind,
        **more,
    }


def new_uuid() -> str:
    return str(uuid.uuid4())
