"""Who calls, and the first steps of most walks."""

import time
from collections.abc import Callable
from pathlib import Path

from starlette.testclient import TestClient

from pileus.kernel.cloud import Cloud
from pileus.kernel.http.call import Json

MEMBER = {"x-auth-token": "p1:member,reader"}
READER = {"x-auth-token": "p1:reader"}
OTHER = {"x-auth-token": "p2:member,reader"}
ADMIN = {"x-auth-token": "ops:admin,manager,member,reader"}
SERVICE = {"x-auth-token": "service:admin,service"}
OCTETS = {"content-type": "application/octet-stream"}
PATCH = {"content-type": "application/openstack-images-v2.1-json-patch"}
IMAGES = "/image/v2/images"


def make(client: TestClient, who: dict[str, str] = MEMBER, **more: object) -> Json:
    body = {"name": "disk", "disk_format": "raw", "container_format": "bare", **more}
    reply = client.post(IMAGES, json=body, headers=who)
    assert reply.status_code == 201, reply.text
    made: Json = reply.json()
    return made


def upload(client: TestClient, image_id: str, data: bytes, who: dict[str, str] = MEMBER) -> int:
    return client.put(f"{IMAGES}/{image_id}/file", content=data, headers=who | OCTETS).status_code


def active(client: TestClient, data: bytes = b"bytes", who: dict[str, str] = MEMBER, **more: object) -> Json:
    image = make(client, who, **more)
    assert upload(client, image["id"], data, who) == 204
    return show(client, image["id"], who)


def show(client: TestClient, image_id: str, who: dict[str, str] = MEMBER) -> Json:
    reply = client.get(f"{IMAGES}/{image_id}", headers=who)
    assert reply.status_code == 200, reply.text
    shown: Json = reply.json()
    return shown


def change(client: TestClient, image_id: str, *operations: Json, who: dict[str, str] = MEMBER) -> int:
    return client.patch(f"{IMAGES}/{image_id}", json=list(operations), headers=who | PATCH).status_code


def stored(cloud: Cloud) -> list[Path]:
    folder = cloud.config.state / "images"
    return sorted(folder.iterdir()) if folder.exists() else []


def eventually(holds: Callable[[], bool], seconds: float = 5) -> bool:
    """For what a thread or another process does."""
    end = time.monotonic() + seconds
    while not (done := holds()) and time.monotonic() < end:
        time.sleep(0.02)
    return done
