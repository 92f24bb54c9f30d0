"""The image service over an S3 store: what users see of it, whole and when the store is away."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from pileus.image.data.sweep import sweep_away
from pileus.image.stores.registry import Stores
from pileus.kernel.cloud import Cloud
from pileus.kernel.http.app import App
from tests.cloud import cloud_of
from tests.drivers.image.proxy import Fault, Proxy
from tests.drivers.image.rigs import PART, new_key, pattern, put
from tests.drivers.image.s3_server import S3Server
from tests.image.api.conftest import IMAGE
from tests.image.api.people import IMAGES, MEMBER, active, make, show, upload

CONFIG = """\
[image.stores.objects]
driver = "s3"
[image.stores.objects.s3]
endpoint = "{url}"
bucket = "cloud"
prefix = "{prefix}/"
access_key = "{access_key}"
secret_file = "{secret}"
create_bucket = true
part_size = {part}
"""
DATA = pattern(PART + 1000)


@pytest.fixture
def cloud(tmp_path: Path, server: S3Server, proxy: Proxy) -> Iterator[Cloud]:
    secret, file = tmp_path / "secret", tmp_path / "pileus.toml"
    secret.write_text(server.secret)
    given = {"url": proxy.url, "prefix": new_key().key, "access_key": server.access_key, "secret": secret}
    file.write_text(CONFIG.format(**given, part=PART))
    with cloud_of(tmp_path, IMAGE, file=file) as cloud:
        yield cloud


@pytest.fixture
def client(cloud: Cloud) -> Iterator[TestClient]:
    with TestClient(App(cloud, [IMAGE]), raise_server_exceptions=False) as client:
        yield client


def test_an_image_comes_and_goes(client: TestClient, cloud: Cloud) -> None:
    image = active(client, DATA)
    file = f"{IMAGES}/{image['id']}/file"
    assert (image["status"], image["size"]) == ("active", len(DATA))
    assert client.get(file, headers=MEMBER).content == DATA
    part = client.get(file, headers=MEMBER | {"range": "bytes=5000000-5242999"})
    assert (part.status_code, part.content) == (206, DATA[5000000:5243000])
    assert client.delete(f"{IMAGES}/{image['id']}", headers=MEMBER).status_code == 204
    sweep_away(cloud)
    assert list(cloud.part(Stores).default.keys()) == []


def test_a_store_that_refuses_data(client: TestClient, cloud: Cloud, proxy: Proxy) -> None:
    image = make(client)
    proxy.faults.append(Fault("PUT", "partNumber=2", times=99, refuse=(500, "InternalError")))
    assert upload(client, image["id"], DATA) == 503
    assert show(client, image["id"])["status"] == "queued"
    assert list(cloud.part(Stores).default.keys()) == []
    proxy.faults.clear()
    assert upload(client, image["id"], DATA) == 204


def test_a_full_store(client: TestClient, proxy: Proxy) -> None:
    image = make(client)
    proxy.faults.append(Fault("PUT", times=99, refuse=(507, "InsufficientStorage")))
    assert upload(client, image["id"], DATA) == 413
    assert show(client, image["id"])["status"] == "queued"


def test_a_store_that_is_away(client: TestClient, server: S3Server, proxy: Proxy) -> None:
    image = active(client, DATA)
    proxy.faults += [Fault("HEAD", times=99, refuse=(500, "InternalError"))]
    reply = client.get(f"{IMAGES}/{image['id']}/file", headers=MEMBER)
    assert reply.status_code == 503
    assert server.secret not in reply.text
    proxy.faults.clear()
    assert client.get(f"{IMAGES}/{image['id']}/file", headers=MEMBER).content == DATA


def test_the_sweep_removes_what_no_image_names(client: TestClient, cloud: Cloud) -> None:
    image, store = active(client, DATA), cloud.part(Stores).default
    put(store, new_key(), b"nobody's")
    begun = store.create(new_key(image["id"]))
    begun.write(DATA)
    del begun
    assert len(list(store.keys())) == 3
    sweep_away(cloud)
    (left,) = store.keys()
    assert left.image_id == image["id"]
    assert client.get(f"{IMAGES}/{image['id']}/file", headers=MEMBER).content == DATA
