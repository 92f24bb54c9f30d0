"""Steps that most tests of imports take."""

from typing import Any

from starlette.testclient import TestClient

from pileus.image.stores.registry import Stores
from pileus.kernel.cloud import Cloud
from pileus.kernel.http.call import Json
from tests.image.api.people import IMAGES, MEMBER, OCTETS


def stage(client: TestClient, image_id: str, data: bytes, who: dict[str, str] = MEMBER) -> int:
    return client.put(f"{IMAGES}/{image_id}/stage", content=data, headers=who | OCTETS).status_code


def ask(client: TestClient, image_id: str, method: str, who: dict[str, str] = MEMBER, **more: Any) -> int:
    """Import by that method; `uri` and the `glance_…` belong to it, the rest is the body's."""
    own = {name: value for name, value in more.items() if name == "uri" or name.startswith("glance_")}
    rest = {name: value for name, value in more.items() if name not in own}
    body = {"method": {"name": method, **own}, **rest}
    return client.post(f"{IMAGES}/{image_id}/import", json=body, headers=who).status_code


def tasks(client: TestClient, image_id: str, who: dict[str, str] = MEMBER) -> list[Json]:
    reply = client.get(f"{IMAGES}/{image_id}/tasks", headers=who)
    assert reply.status_code == 200, reply.text
    found: list[Json] = reply.json()["tasks"]
    return found


def files(cloud: Cloud) -> dict[str, int]:
    """How many data each written store has, the staging folder included."""
    return {store.name: len(list(store.keys())) for store in cloud.part(Stores).written()}
