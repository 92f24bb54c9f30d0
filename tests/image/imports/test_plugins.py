"""What an import makes of the data on their way: decompressed, converted, with properties of the operator's."""

import gzip
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from pileus.image.formats import qemu_img
from pileus.image.stores.registry import STAGING
from pileus.kernel.cloud import Cloud
from tests.image.api.people import ADMIN, IMAGES, MEMBER, make, show
from tests.image.containers import packages
from tests.image.imports.conftest import Web
from tests.image.imports.walks import ask, files, stage, tasks

Work = Callable[[], int]
MIB = 1 << 20
needs_qemu_img = pytest.mark.skipif(shutil.which("qemu-img") is None, reason="qemu-img is not installed")


@pytest.fixture
def settings(request: pytest.FixtureRequest) -> str:
    return f"""
    convert_to = "{getattr(request, "param", "qcow2")}"
    max_converted = {64 * MIB}
    inject = {{ inject = {{ billing = "7" }} }}
    """


def disk(tmp_path: Path, format: str) -> bytes:
    raw, path = tmp_path / "disk.raw", tmp_path / f"disk.{format}"
    raw.write_bytes(b"guest" * 100_000 + bytes(4 * MIB - 500_000))
    if format != "raw":
        qemu_img.convert(raw, "raw", path, format)
    return path.read_bytes()


@needs_qemu_img
@pytest.mark.parametrize(
    ("settings", "given"), [("raw", "qcow2"), ("qcow2", "raw"), ("raw", "vmdk")], indirect=["settings"]
)
def test_conversion(client: TestClient, cloud: Cloud, work: Work, tmp_path: Path, settings: str, given: str) -> None:
    image_id = make(client, disk_format=given)["id"]
    stage(client, image_id, disk(tmp_path, given))
    assert ask(client, image_id, "glance-direct", all_stores=True) == 202
    work()
    image, [task] = show(client, image_id), tasks(client, image_id)
    assert task["status"] == "success", task
    wanted = "raw" if given != "raw" else "qcow2"
    assert (image["status"], image["disk_format"], image["virtual_size"]) == ("active", wanted, 4 * MIB)
    out = tmp_path / f"out.{wanted}"
    out.write_bytes(client.get(f"{IMAGES}/{image_id}/file", headers=MEMBER).content)
    assert qemu_img.info(out, wanted).virtual_size == 4 * MIB
    if wanted == "raw":
        assert out.read_bytes() == (tmp_path / "disk.raw").read_bytes()
    assert files(cloud) == {"file": 1, "second": 1, STAGING: 0}


@needs_qemu_img
@pytest.mark.parametrize("settings", ["raw"], indirect=True)
def test_a_disk_too_large_to_convert(client: TestClient, cloud: Cloud, work: Work, tmp_path: Path) -> None:
    path = tmp_path / "big.qcow2"
    qemu_img.create(path, "qcow2", 65 * MIB)
    image_id = make(client, disk_format="qcow2")["id"]
    stage(client, image_id, path.read_bytes())
    ask(client, image_id, "glance-direct")
    work()
    assert show(client, image_id)["status"] == "queued" and str(65 * MIB) in tasks(client, image_id)[0]["message"]
    assert files(cloud) == {"file": 0, "second": 0, STAGING: 0}


@needs_qemu_img
def test_a_compressed_disk(client: TestClient, cloud: Cloud, web: Web, work: Work, tmp_path: Path) -> None:
    image_id = make(client, disk_format="raw", container_format="compressed")["id"]
    raw = disk(tmp_path, "raw")
    assert ask(client, image_id, "web-download", uri=web.url("/disk.gz", gzip.compress(raw))) == 202
    work()
    image, [task] = show(client, image_id), tasks(client, image_id)
    assert task["status"] == "success", task
    assert (image["container_format"], image["disk_format"], image["status"]) == ("bare", "qcow2", "active")
    assert image["virtual_size"] == len(raw)


@pytest.mark.parametrize("settings", ["raw"], indirect=True)
def test_a_bomb(client: TestClient, cloud: Cloud, web: Web, work: Work) -> None:
    image_id = make(client, disk_format="raw", container_format="compressed")["id"]
    bomb = gzip.compress(bytes(65 * MIB))
    assert ask(client, image_id, "web-download", uri=web.url("/bomb", bomb)) == 202
    work()
    assert show(client, image_id)["status"] == "queued"
    assert files(cloud) == {"file": 0, "second": 0, STAGING: 0}


@pytest.mark.parametrize("settings", ["raw"], indirect=True)
def test_injected_properties(client: TestClient, web: Web, work: Work) -> None:
    for who, expected in ((MEMBER, "7"), (ADMIN, None)):
        image_id = make(client, who)["id"]
        ask(client, image_id, "web-download", who, uri=web.url("/disk", b"raw bytes"))
        work()
        image = show(client, image_id, who)
        assert (image["status"], image.get("billing")) == ("active", expected)


@pytest.mark.parametrize("settings", [""], indirect=True)
def test_a_package(client: TestClient, cloud: Cloud, web: Web, work: Work) -> None:
    image_id = make(client, disk_format="vmdk", container_format="ova")["id"]
    assert ask(client, image_id, "web-download", uri=web.url("/machine.ova", packages.ova())) == 202
    work()
    image, [task] = show(client, image_id), tasks(client, image_id)
    assert task["status"] == "success", task
    assert (image["container_format"], image["disk_format"], image["status"]) == ("bare", "vmdk", "active")
    assert client.get(f"{IMAGES}/{image_id}/file", headers=MEMBER).content == packages.DISK
