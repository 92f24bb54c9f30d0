"""Deleting: the row goes first, the data after it; and images that go while somebody works on them."""

import os
import threading

import pytest

from tests.image.api.people import ADMIN, MEMBER, eventually
from tests.image.kills.audit import converges
from tests.image.kills.site import PATIENCE, Site

DATA = os.urandom(20 * 65536 + 1000)


def delete(site: Site, image_id: str) -> int:
    return site.ask("DELETE", f"/images/{image_id}")[0]


@pytest.mark.parametrize("where", ["file", "stage"])
def test_the_row_is_gone_and_the_data_is_not(site: Site, where: str) -> None:
    image_id = site.make()
    assert site.send(image_id, DATA, where) == 204
    site.tell("removing")
    assert delete(site, image_id) in (0, 204)
    site.dies(site.api)
    converges(site)
    assert site.ask("GET", f"/images/{image_id}")[0] == 404


def test_one_store_forgot_it_and_has_it(site: Site) -> None:
    image_id = site.active(DATA)
    site.bring(image_id, "copy-image", ADMIN, stores=["second"])
    assert eventually(lambda: site.task(image_id)["status"] == "success", PATIENCE)
    site.tell("removing")
    assert site.ask("DELETE", f"/stores/file/{image_id}", who=ADMIN)[0] in (0, 204)
    site.dies(site.api)
    converges(site)
    assert site.show(image_id)["stores"] == "second" and site.data(image_id) == DATA


@pytest.mark.parametrize("step", ["claimed", "writing:3", "written", "committed"])
@pytest.mark.parametrize("where", ["file", "stage"])
def test_an_image_that_is_being_uploaded(site: Site, where: str, step: str) -> None:
    """The client hears that its image is gone."""
    image_id = site.make()
    point, _, time = step.partition(":")
    site.tell(point, int(time or 1), "wait")
    heard: list[int] = []
    sender = threading.Thread(target=lambda: heard.append(site.send(image_id, DATA, where)))
    sender.start()
    mark = site.waits(site.api)
    assert delete(site, image_id) == 204
    mark.unlink()
    sender.join()
    assert heard == [410]
    converges(site)


STEPS = ["begun", "taking:3", "storing:3", "finishing", "stored"]


@pytest.mark.parametrize("dies", [False, True], ids=["lives", "dies"])
@pytest.mark.parametrize("step", STEPS)
def test_an_image_that_is_being_imported(site: Site, step: str, dies: bool) -> None:
    image_id = site.make()
    assert site.send(image_id, DATA, "stage") == 204
    point, _, time = step.partition(":")
    site.tell(point, int(time or 1), "wait")
    site.bring(image_id, "glance-direct", all_stores=True)
    task = site.task(image_id)["id"]
    mark = site.waits(site.worker)
    assert delete(site, image_id) == 204
    if dies:
        site.worker.kill()
        site.expire()
    mark.unlink()
    converges(site)
    told = site.admin("GET", f"/tasks/{task}")
    assert (told["status"], told["message"]) == ("failure", "The image was deleted.")


def test_an_image_whose_task_nobody_began(site: Site) -> None:
    site.worker.kill()
    image_id = site.make()
    assert site.send(image_id, DATA, "stage") == 204
    site.bring(image_id, "glance-direct")
    task = site.task(image_id)["id"]
    assert delete(site, image_id) == 204
    again = site.json("POST", "/images", {"id": image_id, "disk_format": "raw", "container_format": "bare"}, MEMBER)
    assert again["id"] == image_id and site.send(image_id, DATA, "stage") == 204
    converges(site)
    assert site.admin("GET", f"/tasks/{task}")["status"] == "failure"
    assert site.show(image_id)["status"] == "uploading"
    site.bring(image_id, "glance-direct")
    assert site.becomes(image_id, "active") and site.data(image_id) == DATA
