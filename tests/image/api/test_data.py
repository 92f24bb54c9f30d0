"""Uploads and downloads, in-process: what is taken, what is refused, and what a refusal leaves."""

import asyncio
import hashlib
import io
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import delete
from starlette.requests import Request
from starlette.testclient import TestClient
from starlette.types import Message

from pileus.image.data.upload import blocks
from pileus.image.drivers.base import DataKey, StoreFull
from pileus.image.drivers.file import FileSink, FileStore
from pileus.image.images.models import Image
from pileus.image.settings import ImageSettings
from pileus.image.stores.registry import Stores
from pileus.kernel import quotas
from pileus.kernel.cloud import Cloud
from pileus.kernel.errors import BadRequest
from pileus.kernel.quotas import Quotas
from tests.image.api.people import (
    ADMIN,
    IMAGES,
    MEMBER,
    OCTETS,
    OTHER,
    READER,
    SERVICE,
    active,
    make,
    show,
    stored,
    upload,
)
from tests.image.formats.disks import patched, qcow2, qemu_image, vmdk
from tests.shared_limits import Shared

DATA = os.urandom(300_000)


def test_what_went_in_comes_out(client: TestClient, cloud: Cloud) -> None:
    image = active(client, DATA)
    assert image["status"] == "active" and image["size"] == image["virtual_size"] == len(DATA)
    assert image["checksum"] == hashlib.md5(DATA).hexdigest()
    assert (image["os_hash_algo"], image["os_hash_value"]) == ("sha512", hashlib.sha512(DATA).hexdigest())
    reply = client.get(f"{IMAGES}/{image['id']}/file", headers=MEMBER)
    assert reply.status_code == 200 and reply.content == DATA
    assert reply.headers["content-md5"] == image["checksum"]
    assert reply.headers["content-length"] == str(len(DATA))
    assert reply.headers["content-type"] == "application/octet-stream"
    (file,) = stored(cloud)
    assert file.name.startswith(image["id"]) and file.stat().st_mode & 0o007 == 0


def test_a_real_disk_says_its_size(client: TestClient, tmp_path: Path) -> None:
    image = active(client, qemu_image(tmp_path, "qcow2"), disk_format="qcow2")
    assert image["virtual_size"] > image["size"]


@pytest.mark.parametrize(
    ("header", "status", "start", "end"),
    [
        ("bytes=0-0", 206, 0, 1),
        ("bytes=5-9", 206, 5, 10),
        ("bytes=299990-", 206, 299_990, 300_000),
        ("bytes=-10", 206, 299_990, 300_000),
        ("bytes=-999999", 206, 0, 300_000),
        ("bytes=299999-400000", 206, 299_999, 300_000),
        ("bytes=300000-", 416, 0, 0),
        ("bytes=9-5", 416, 0, 0),
        ("bytes=-0", 416, 0, 0),
        ("bytes=-", 416, 0, 0),
        ("bytes=0-1,5-6", 416, 0, 0),
        ("lines=0-1", 416, 0, 0),
    ],
)
def test_ranges(client: TestClient, header: str, status: int, start: int, end: int) -> None:
    image_id = active(client, DATA)["id"]
    reply = client.get(f"{IMAGES}/{image_id}/file", headers=MEMBER | {"range": header})
    assert reply.status_code == status
    if status == 206:
        assert reply.content == DATA[start:end]
        assert reply.headers["content-range"] == f"bytes {start}-{end - 1}/300000"
        assert "content-md5" not in reply.headers
    else:
        assert reply.headers["content-range"] == "bytes */300000"
        assert reply.json()["code"].startswith("416")


def test_without_data_there_is_no_content(client: TestClient) -> None:
    reply = client.get(f"{IMAGES}/{make(client)['id']}/file", headers=MEMBER)
    assert (reply.status_code, reply.content) == (204, b"")


def test_who_may_download(client: TestClient) -> None:
    private, public = active(client, visibility="private")["id"], active(client, who=ADMIN, visibility="public")["id"]
    for image_id, who, status in (
        (private, MEMBER, 200),
        (private, READER, 403),
        (private, OTHER, 404),
        (private, SERVICE, 200),
        (public, OTHER, 200),
        (public, SERVICE, 200),
    ):
        assert client.get(f"{IMAGES}/{image_id}/file", headers=who).status_code == status
    assert client.get(f"{IMAGES}/{public}/file").status_code == 401
    assert client.get(f"{IMAGES}/nothing/file", headers=MEMBER).status_code == 404


def hostile() -> Iterator[tuple[str, str, bytes]]:
    yield "lies: raw that is qcow2", "raw", qcow2()
    yield "lies: qcow2 that is vmdk", "qcow2", vmdk()
    yield "lies: qcow2 that is nothing", "qcow2", b"nothing" * 1000
    yield "cut off", "qcow2", qcow2()[:60]
    yield "backing file", "qcow2", patched(qcow2(backing_at=512, backing_bytes=11), 512, b"/etc/passwd")
    yield "empty", "qcow2", b""


@pytest.mark.parametrize(("what", "disk_format", "data"), list(hostile()))
def test_refused_bytes_leave_nothing(
    client: TestClient, cloud: Cloud, what: str, disk_format: str, data: bytes
) -> None:
    image = make(client, disk_format=disk_format)
    reply = client.put(f"{IMAGES}/{image['id']}/file", content=data, headers=MEMBER | OCTETS)
    assert reply.status_code == 415, reply.text
    assert reply.json()["code"] == "415 Unsupported Media Type" and len(reply.json()["message"]) > 20
    assert show(client, image["id"]) | {"updated_at": ""} == image | {"updated_at": ""}
    assert stored(cloud) == []


def test_uploads_that_do_not_start(client: TestClient, cloud: Cloud) -> None:
    bare = client.post(IMAGES, json={}, headers=MEMBER).json()["id"]
    assert upload(client, bare, b"x") == 400
    image_id = active(client)["id"]
    assert upload(client, image_id, b"again") == 409
    queued = make(client)["id"]
    path = f"{IMAGES}/{queued}/file"
    assert client.put(path, content=b"{}", headers=MEMBER | {"content-type": "application/json"}).status_code == 415
    assert client.put(path, content=b"x", headers=MEMBER).status_code == 415
    elsewhere = MEMBER | OCTETS | {"x-image-meta-store": "elsewhere"}
    assert client.put(path, content=b"x", headers=elsewhere).status_code == 400
    assert upload(client, queued, b"x", READER) == 403
    assert upload(client, "nothing", b"x") == 404
    assert show(client, queued)["status"] == "queued" and show(client, image_id)["size"] == 5
    assert len(stored(cloud)) == 1


def test_fewer_bytes_than_were_said(client: TestClient, cloud: Cloud) -> None:
    image_id = make(client)["id"]
    headers = MEMBER | OCTETS | {"content-length": "10"}
    assert client.put(f"{IMAGES}/{image_id}/file", content=b"short", headers=headers).status_code == 400
    assert show(client, image_id)["status"] == "queued" and stored(cloud) == []
    assert upload(client, image_id, b"long enough") == 204


def test_a_chunked_body(client: TestClient) -> None:
    image_id = make(client)["id"]
    body = (DATA[at : at + 1000] for at in range(0, len(DATA), 1000))
    assert client.put(f"{IMAGES}/{image_id}/file", content=body, headers=MEMBER | OCTETS).status_code == 204
    assert show(client, image_id)["checksum"] == hashlib.md5(DATA).hexdigest()


def test_quotas(client: TestClient, cloud: Cloud) -> None:
    image_id = make(client)["id"]
    with cloud.db.writing() as db:
        quotas.source_of(db).set(db, Quotas("image"), "p1", {"image_count_total": 2, "image_size_total": 1})
    assert upload(client, image_id, bytes(2 << 20)) == 413
    chunks = (bytes(1 << 16) for _ in range(32))
    assert client.put(f"{IMAGES}/{image_id}/file", content=chunks, headers=MEMBER | OCTETS).status_code == 413
    assert stored(cloud) == [] and show(client, image_id)["status"] == "queued"
    assert upload(client, image_id, bytes(1 << 20)) == 204
    second = make(client)["id"]
    assert upload(client, second, b"x") == 413
    assert client.post(IMAGES, json={}, headers=MEMBER).status_code == 413
    assert client.post(IMAGES, json={}, headers=OTHER).status_code == 201


def test_projects_may_share_a_limit(client: TestClient, cloud: Cloud) -> None:
    quotas.use(cloud.db, Shared(image_size_total=1, image_count_total=2))
    image_id = make(client, OTHER)["id"]
    assert upload(client, make(client)["id"], bytes(700 << 10)) == 204
    assert upload(client, image_id, bytes(400 << 10), OTHER) == 413
    assert upload(client, image_id, bytes(300 << 10), OTHER) == 204
    assert client.post(IMAGES, json={}, headers=OTHER).status_code == 413


def test_the_size_cap(client: TestClient, cloud: Cloud) -> None:
    cloud.config._by_type[ImageSettings] = ImageSettings(max_size=1000)
    image_id = make(client)["id"]
    assert upload(client, image_id, bytes(1001)) == 413
    assert upload(client, image_id, bytes(1000)) == 204


def test_a_full_store(client: TestClient, cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(sink: FileSink, block: bytes) -> None:
        raise StoreFull("No space left on device")

    image_id = make(client)["id"]
    with monkeypatch.context() as patch:
        patch.setattr(FileSink, "write", full)
        assert upload(client, image_id, b"x") == 413
    assert stored(cloud) == [] and upload(client, image_id, b"x") == 204


def test_a_store_that_breaks_is_an_error_of_ours(
    client: TestClient, cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(store: FileStore, key: DataKey) -> FileSink:
        raise PermissionError("/secret/path")

    image_id = make(client)["id"]
    with monkeypatch.context() as patch:
        patch.setattr(FileStore, "create", broken)
        reply = client.put(f"{IMAGES}/{image_id}/file", content=io.BytesIO(b"x"), headers=MEMBER | OCTETS)
    assert reply.status_code == 500 and "secret" not in reply.text
    assert show(client, image_id)["status"] == "queued"


def test_an_image_deleted_while_it_is_uploaded(client: TestClient, cloud: Cloud) -> None:
    image_id = make(client)["id"]

    def body() -> Iterator[bytes]:
        yield b"x" * 100_000
        with cloud.db.writing() as db:
            db.execute(delete(Image).where(Image.id == image_id))
        yield b"y"

    reply = client.put(f"{IMAGES}/{image_id}/file", content=body(), headers=MEMBER | OCTETS)
    assert reply.status_code == 410, reply.text
    assert stored(cloud) == []


def test_a_client_that_stops_sending_is_not_waited_for_forever() -> None:
    async def silent() -> Message:
        await asyncio.sleep(60)
        return {"type": "http.disconnect"}

    async def receive() -> None:
        async for _ in blocks(Request({"type": "http"}, silent), 10, 1):
            pass

    began = time.monotonic()
    with pytest.raises(BadRequest, match="No data came for 1 seconds"):
        asyncio.run(receive())
    assert time.monotonic() - began < 10


def test_the_store_keeps_its_keys_apart(cloud: Cloud) -> None:
    store = cloud.part(Stores).default
    one, two = DataKey("i", "1"), DataKey("i", "2")
    for key in (one, two):
        sink = store.create(key)
        sink.write(key.key.encode())
        sink.commit()
    store.delete(one)
    store.delete(one)
    assert list(store.keys()) == [two] and store.path(one) is None
    source = store.open(two)
    assert source.read(0, 9) == b"2" and source.size == 1
    source.close()
