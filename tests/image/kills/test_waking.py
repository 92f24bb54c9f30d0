"""A process that stood still for longer than its leases: others took it for dead and did its work. Then it goes on."""

import os
import threading
from typing import Any

import pytest

from pileus.image.data.sweep import sweep
from pileus.image.stores.registry import STAGING
from tests.image.api.people import ADMIN, eventually
from tests.image.kills.audit import converges
from tests.image.kills.site import PATIENCE, Site

DATA = os.urandom(20 * 65536 + 1000)


@pytest.mark.parametrize("step", ["begun", "taking:3", "finishing", "stored", "over", "ended"])
@pytest.mark.parametrize("method", ["glance-direct", "web-download"])
def test_a_worker_whose_task_is_done_already(site: Site, method: str, step: str) -> None:
    """Exactly one result: the one who is late changes nothing."""
    image_id = site.make()
    if method == "glance-direct":
        assert site.send(image_id, DATA, "stage") == 204
    point, _, time = step.partition(":")
    site.tell(point, int(time or 1), "wait")
    more: dict[str, Any] = {"uri": site.web.url("/disk", DATA)} if method == "web-download" else {}
    site.bring(image_id, method, **more)
    with site.frozen(site.worker), site.another_worker():
        assert site.becomes(image_id, "active")
        done = site.task(image_id)
        assert done["status"] == "success"
    assert eventually(lambda: site.is_through(site.worker, image_id), PATIENCE)
    converges(site)
    task = site.task(image_id)
    assert (task["status"], task["message"], task["updated_at"]) == ("success", done["message"], done["updated_at"])
    assert site.data(image_id) == DATA


@pytest.mark.parametrize("step", ["taking:3", "storing:3", "stored", "over"])
def test_a_copier_whose_copy_is_there_already(site: Site, step: str) -> None:
    image_id = site.active(DATA)
    point, _, time = step.partition(":")
    site.tell(point, int(time or 1), "wait")
    site.bring(image_id, "copy-image", ADMIN, stores=["second"])
    with site.frozen(site.worker), site.another_worker():
        assert eventually(lambda: site.task(image_id)["status"] == "success", PATIENCE)
    assert eventually(lambda: site.is_through(site.worker, image_id), PATIENCE)
    converges(site)
    assert site.show(image_id)["stores"] == "file,second" and site.task(image_id)["status"] == "success"


@pytest.mark.parametrize("step", ["taking:3", "stored"])
def test_a_worker_that_wakes_while_another_is_at_it(site: Site, step: str) -> None:
    """The first one stops; the second one's result is the task's."""
    image_id = site.make()
    assert site.send(image_id, DATA, "stage") == 204
    point, _, time = step.partition(":")
    site.tell(point, int(time or 1), "wait")
    site.bring(image_id, "glance-direct")
    with site.frozen(site.worker):
        site.tell("finishing", 1, "wait")
        site.second.start()
        held = site.waits(site.second)
    assert eventually(lambda: site.is_through(site.worker, image_id), PATIENCE)
    assert site.task(image_id)["status"] == "processing" and site.show(image_id)["status"] == "importing"
    held.unlink()
    assert site.becomes(image_id, "active")
    site.second.kill()
    converges(site)
    assert site.task(image_id)["status"] == "success" and site.data(image_id) == DATA


@pytest.mark.parametrize("step", ["created", "writing:3", "written", "committed"])
@pytest.mark.parametrize("where", ["file", "stage"])
def test_an_upload_that_was_given_up(site: Site, where: str, step: str) -> None:
    """Its client hears of it, and the one that came meanwhile has the image."""
    image_id = site.make()
    point, _, time = step.partition(":")
    site.tell(point, int(time or 1), "wait")
    heard: list[int] = []
    sender = threading.Thread(target=lambda: heard.append(site.send(image_id, DATA, where)))
    sender.start()
    with site.frozen(site.api):
        assert eventually(lambda: not site.places(image_id), PATIENCE)
    sender.join()
    assert heard == [410]
    converges(site)
    assert site.send(image_id, DATA[::-1]) == 204 and site.data(image_id) == DATA[::-1]


@pytest.mark.parametrize("step", ["storing:3", "stored"])
def test_a_worker_whose_data_was_given_up(site: Site, step: str) -> None:
    """Nobody else has its task: it brings the data again."""
    image_id = site.make()
    assert site.send(image_id, DATA, "stage") == 204
    point, _, time = step.partition(":")
    site.tell(point, int(time or 1), "wait")
    site.bring(image_id, "glance-direct")
    with site.frozen(site.worker):
        sweep(site.cloud)
        assert site.places(image_id) == [STAGING]
    assert site.becomes(image_id, "active") and site.data(image_id) == DATA
    assert site.task(image_id)["status"] == "success"
