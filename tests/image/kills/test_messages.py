"""The message that a task is due may be lost, come twice, or reach two workers: the work is done once."""

import asyncio
import os
import time

from pileus.kernel.bus.base import CONTROL
from pileus.kernel.bus.local import LocalBus
from tests.image.api.people import eventually
from tests.image.imports.conftest import Web
from tests.image.kills import process
from tests.image.kills.audit import converges
from tests.image.kills.site import PATIENCE, Role, Site

DATA = os.urandom(10 * 65536 + 1000)


def imported(site: Site, path: str) -> str:
    image_id = site.make()
    site.bring(image_id, "web-download", uri=site.web.url(path, DATA))
    return image_id


def asked(web: Web, path: str) -> int:
    return web.asked.count(path)


def test_a_lost_message(site: Site) -> None:
    """Nobody is there to hear it: the worker that comes finds the task by itself."""
    site.worker.kill()
    image_id = imported(site, "/lost")
    site.worker.start()
    assert site.becomes(image_id, "active") and site.data(image_id) == DATA


def test_a_message_is_enough(site: Site) -> None:
    """Without it the task would wait for this worker's timer."""
    site.worker.kill()
    slow = Role(process.worker, site.state, site.file, 3600.0)
    slow.start()
    try:
        assert eventually(lambda: site.hears(slow), PATIENCE)
        began = time.monotonic()
        image_id = imported(site, "/heard")
        assert site.becomes(image_id, "active") and time.monotonic() - began < PATIENCE
    finally:
        slow.kill()
    converges(site)


def test_a_message_that_comes_many_times(site: Site) -> None:
    site.tell("taking", 3, "wait")
    image_id = imported(site, "/many")
    mark = site.waits(site.worker)
    bus, task = LocalBus(site.state / "bus"), str(site.task(image_id)["id"])
    for _ in range(20):
        bus.cast(CONTROL, "due", {"reconciler": "image-tasks", "id": task})
    asyncio.run(bus.close())
    time.sleep(0.3)
    mark.unlink()
    assert site.becomes(image_id, "active")
    converges(site)
    assert asked(site.web, "/many") == 1 and site.task(image_id)["status"] == "success"


def test_two_workers_and_many_tasks(site: Site) -> None:
    """Each is taken by one of them."""
    with site.another_worker():
        images = [imported(site, f"/raced-{n}") for n in range(10)]
        for image_id in images:
            assert site.becomes(image_id, "active") and site.data(image_id) == DATA
        converges(site)
    assert [asked(site.web, f"/raced-{n}") for n in range(10)] == [1] * 10
    assert {site.task(image_id)["status"] for image_id in images} == {"success"}
