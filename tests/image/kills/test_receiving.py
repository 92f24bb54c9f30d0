"""The API process dies while it takes an image's data."""

import os

import pytest

from tests.image.kills.audit import converges
from tests.image.kills.site import Site

DATA = os.urandom(40 * 65536 + 1000)
STEPS = ["claimed", "created", "writing:1", "writing:3", "written", "committed"]


def tell(site: Site, step: str, act: str = "kill") -> None:
    point, _, time = step.partition(":")
    site.tell(point, int(time or 1), act)


@pytest.mark.parametrize("where", ["file", "stage"])
@pytest.mark.parametrize("step", STEPS)
def test_before_the_row_says_so(site: Site, step: str, where: str) -> None:
    image_id = site.make()
    tell(site, step)
    assert site.send(image_id, DATA, where) == 0
    site.dies(site.api)
    converges(site)
    image = site.show(image_id)
    assert (image["status"], image["size"]) == ("queued", None)
    assert site.send(image_id, DATA) == 204 and site.data(image_id) == DATA


def test_after_it_but_before_the_client_knows(site: Site) -> None:
    image_id = site.make()
    site.tell("received")
    assert site.send(image_id, DATA) == 0
    site.dies(site.api)
    converges(site)
    assert site.show(image_id)["status"] == "active" and site.data(image_id) == DATA


def test_after_staging_but_before_the_client_knows(site: Site) -> None:
    image_id = site.make()
    site.tell("received")
    assert site.send(image_id, DATA, "stage") == 0
    site.dies(site.api)
    converges(site)
    assert site.show(image_id)["status"] == "uploading"
    site.bring(image_id, "glance-direct")
    assert site.becomes(image_id, "active") and site.data(image_id) == DATA
