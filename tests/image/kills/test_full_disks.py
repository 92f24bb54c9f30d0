"""No room at each place where something is written: the client or the task hears it, and nothing is left."""

import gzip
import os
import shutil
from pathlib import Path

import pytest

from pileus.image.formats import qemu_img
from tests.image.api.people import ADMIN, eventually
from tests.image.kills.audit import converges
from tests.image.kills.site import PATIENCE, Site

MIB = 1 << 20
ROOM = 24 * MIB  # the database needs some
DATA = os.urandom(MIB) * 25


@pytest.mark.parametrize("where", ["file", "stage"])
def test_receiving(site: Site, where: str) -> None:
    image_id = site.make()
    with site.full_disk(site.api, ROOM):
        assert site.send(image_id, DATA, where) == 413
    assert site.show(image_id)["status"] == "queued"
    converges(site)
    assert site.send(image_id, b"less") == 204


def fails(site: Site, image_id: str, why: str) -> None:
    assert eventually(lambda: site.task(image_id)["status"] == "failure", PATIENCE)
    assert why in site.task(image_id)["message"]
    converges(site)


NO_ROOM = "There is no room for the image's data in this cloud's image store."


def test_storing(site: Site) -> None:
    image_id = site.make()
    assert site.send(image_id, DATA, "stage") == 204
    with site.full_disk(site.worker, ROOM):
        site.bring(image_id, "glance-direct", all_stores=True)
        fails(site, image_id, NO_ROOM)
    image = site.show(image_id)
    assert (image["status"], image["os_glance_failed_import"]) == ("queued", "file,second")
    site.ask("DELETE", f"/images/{image_id}")


@pytest.mark.skipif(shutil.which("qemu-img") is None, reason="qemu-img is not installed")
def test_landing(site: Site, tmp_path: Path) -> None:
    image_id = site.make(disk_format="qcow2")
    raw, qcow2 = tmp_path / "raw", tmp_path / "qcow2"
    raw.write_bytes(os.urandom(25 * MIB))
    qemu_img.convert(raw, "raw", qcow2, "qcow2")
    with site.full_disk(site.worker, ROOM):
        site.bring(image_id, "web-download", uri=site.web.url("/big.qcow2", qcow2.read_bytes()))
        fails(site, image_id, NO_ROOM)
    assert site.show(image_id)["status"] == "queued"


def test_taking_a_disk_out(site: Site) -> None:
    image_id = site.make(container_format="compressed")
    packed = gzip.compress((b"guest" * MIB)[: 5 * MIB] * 5)
    with site.full_disk(site.worker, ROOM):
        site.bring(image_id, "web-download", uri=site.web.url("/disk.gz", packed))
        fails(site, image_id, NO_ROOM)
    assert site.show(image_id)["status"] == "queued"


def test_copying(site: Site) -> None:
    image_id = site.active(DATA)
    with site.full_disk(site.worker, ROOM):
        site.bring(image_id, "copy-image", ADMIN, stores=["second"])
        fails(site, image_id, NO_ROOM)
        image = site.show(image_id)
        assert (image["stores"], image["os_glance_failed_import"]) == ("file", "second")
        site.admin("PUT", f"/cache/{image_id}")
        assert eventually(lambda: site.admin("GET", "/cache")["queued_images"] == [], PATIENCE)
    assert image_id not in [one["image_id"] for one in site.admin("GET", "/cache")["cached_images"]]
    converges(site)
    site.ask("DELETE", f"/images/{image_id}")
