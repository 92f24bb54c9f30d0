"""The worker dies in the middle of a task, once at each step; the next one does it again from the start."""

import os
import shutil
from pathlib import Path

import pytest

from pileus.image.formats import qemu_img
from tests.image.api.people import ADMIN, eventually
from tests.image.kills.audit import converges
from tests.image.kills.site import Site

DATA = os.urandom(20 * 65536 + 1000)
ENDINGS = ["stored", "settling", "over", "ended"]


def tell(site: Site, step: str) -> None:
    point, _, time = step.partition(":")
    site.tell(point, int(time or 1))


def lives(pid: str) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] != "Z"
    except FileNotFoundError:
        return False


def ends(site: Site, image_id: str) -> None:
    """The worker dies as it was told, and another does the work."""
    site.dies(site.worker)
    converges(site)
    task = site.task(image_id)
    assert (task["status"], site.show(image_id)["status"]) == ("success", "active"), task


@pytest.mark.parametrize("step", ["begun", "taking:1", "taking:5", "finishing", *ENDINGS, "clearing:2"])
def test_staged_data(site: Site, step: str) -> None:
    image_id = site.make()
    assert site.send(image_id, DATA, "stage") == 204
    tell(site, step)
    site.bring(image_id, "glance-direct", all_stores=True)
    ends(site, image_id)
    assert site.data(image_id) == DATA and site.show(image_id)["stores"] == "file,second"


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, bytes]:
    """The same as raw and as qcow2."""
    if shutil.which("qemu-img") is None:
        pytest.skip("qemu-img is not installed")
    folder: Path = tmp_path_factory.mktemp("disk")
    raw, qcow2 = folder / "raw", folder / "qcow2"
    raw.write_bytes(DATA + bytes(-len(DATA) % 65536 + 65536))
    qemu_img.convert(raw, "raw", qcow2, "qcow2")
    return raw.read_bytes(), qcow2.read_bytes()


@pytest.mark.parametrize(
    "step",
    ["taking:2", "landed", "targeted", "converting", "converted", "storing:3", "finishing", *ENDINGS, "clearing:2"],
)
def test_what_is_downloaded_and_converted(site: Site, disk: tuple[bytes, bytes], step: str) -> None:
    raw, qcow2 = disk
    image_id = site.make(disk_format="qcow2")
    tell(site, step)
    site.bring(image_id, "web-download", uri=site.web.url("/disk.qcow2", qcow2), all_stores=True)
    ends(site, image_id)
    if step == "converting":
        assert eventually(lambda: not lives((site.state / "child").read_text())), "qemu-img outlived its worker"
    image = site.show(image_id)
    assert (image["disk_format"], image["stores"]) == ("raw", "file,second") and site.data(image_id) == raw


@pytest.mark.parametrize("step", ["taking:3", "storing:3", "finishing", "stored", "over", "ended"])
def test_copies_to_another_store(site: Site, step: str) -> None:
    image_id = site.active(DATA)
    tell(site, step)
    site.bring(image_id, "copy-image", ADMIN, stores=["second"])
    ends(site, image_id)
    site.admin("DELETE", f"/stores/file/{image_id}")
    assert site.data(image_id) == DATA


@pytest.mark.parametrize("step", ["taking:1", "taking:4", "ended"])
def test_data_elsewhere(site: Site, step: str) -> None:
    image_id, url = site.make(), site.web.url("/disk", DATA)
    tell(site, step)
    site.json("POST", f"/images/{image_id}/locations", {"url": url})
    ends(site, image_id)
    assert site.data(image_id) == DATA


@pytest.mark.parametrize("step", ["taking:2", "stored", "over"])
def test_an_image_that_the_task_makes(site: Site, disk: tuple[bytes, bytes], step: str) -> None:
    tell(site, step)
    asked = {
        "import_from": site.web.url("/disk.qcow2", disk[1]),
        "import_from_format": "qcow2",
        "image_properties": {"name": "made", "visibility": "public"},
    }
    task = site.admin("POST", "/tasks", {"type": "import", "input": asked})
    ends(site, task["image_id"])
    assert site.data(task["image_id"]) == disk[0]


@pytest.mark.parametrize("step", ["taking:2", "copied", "renamed"])
def test_a_copy_for_this_host(site: Site, step: str) -> None:
    image_id = site.active(DATA)
    tell(site, step)
    site.admin("PUT", f"/cache/{image_id}")
    site.dies(site.worker)
    converges(site)
    assert image_id in [one["image_id"] for one in site.admin("GET", "/cache")["cached_images"]]
    assert site.data(image_id) == DATA
