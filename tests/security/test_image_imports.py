"""Imports as an attacker asks for them: where they may lead, what they tell, what they take (2026-34881, 2014-5356, 2015-5162)."""

import gzip
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest
from sqlalchemy import select
from starlette.testclient import TestClient

from pileus.image.imports import receive
from pileus.image.imports.job import Job
from pileus.image.imports.sources import Incoming
from pileus.image.stores.registry import STAGING
from pileus.image.tasks.models import Task
from pileus.kernel.cloud import Cloud
from tests.image.api.people import ADMIN, IMAGES, MEMBER, OTHER, change, make, show, upload
from tests.image.imports.conftest import Handler, Server, Web
from tests.image.imports.test_locations import point
from tests.image.imports.walks import ask, files, stage, tasks
from tests.image.signatures import signers

DATA = b"guest" * 1000
MIB = 1 << 20
SECRET = "signature=very-secret-77"
SIGNER = signers.key("RSA-PSS")
Work = Callable[[], int]
THERE = b'{"status":"active","disk_format":"raw","container_format":"bare","hw_x":"4","os_type":"linux","owner":"evil"}'

RULES = """
[^hw_]
create = admin
read = @
update = admin
delete = admin
[.*]
create = @
read = @
update = @
delete = @
"""


class Trickster(Handler):
    """Sends elsewhere whoever asks for `/to?…`, and sends without end at `/endless`."""

    def do_GET(self) -> None:
        if self.path.startswith("/to?"):
            self.send_response(302)
            self.send_header("location", self.path[4:])
            self.send_header("content-length", "0")
            self.end_headers()
        elif self.path == "/endless":
            self.send_response(200)
            self.end_headers()
            try:
                while True:
                    self.wfile.write(bytes(65536))
            except OSError:
                pass
        elif self.path.startswith("/region/"):
            cast(Server, self.server).web.asked.append(f"{self.headers['x-auth-token']} {self.path}")
            super().do_GET()
        else:
            super().do_GET()


@pytest.fixture
def handler() -> type[Handler]:
    return Trickster


@pytest.fixture
def settings(tmp_path: Path) -> str:
    rules, folder = tmp_path / "protections.conf", tmp_path / "signers"
    rules.write_text(RULES)
    folder.mkdir()
    signers.put(folder, signers.certificate(SIGNER))
    return f"""
        max_size = {4 * MIB}
        max_converted = {4 * MIB}
        signers_folder = "{folder}"
        property_protection_file = "{rules}"
    """


INSIDE = (
    "http://127.0.0.1/", "http://127.1/", "http://2130706433/", "http://0x7f000001/", "http://0177.0.0.1/", "http://0/",
    "http://localhost/", "http://LOCALHOST./", "http://[::1]/", "http://[::ffff:127.0.0.1]/", "http://[::ffff:7f00:1]/",
    "http://[64:ff9b::7f00:1]/", "http://[fe80::1]/", "http://[fd00::1]/", "http://169.254.169.254/latest/meta-data",
    "http://10.0.0.1/", "http://192.168.0.1/", "http://172.16.0.1/", "http://100.64.0.1/", "http://①②⑦.⓪.⓪.①/",
    "http://example.org:22/", "http://user:secret@example.org/", "http://example.org@127.0.0.1/", "http://127.0.0.1\\@example.org/",
    "file:///etc/passwd", "ftp://example.org/", "gopher://example.org/", "//example.org/", "http:///x", "http://",
    "http://example.org/\r\nx-auth-token: y", "http://example.org/%0d%0a x", "http://exa\tmple.org/", "http://[::1%25lo]/",
)  # fmt: skip


@pytest.mark.parametrize("url", INSIDE)
def test_no_way_in(client: TestClient, work: Work, web: Web, url: str) -> None:
    """Asked for by import or as a location, and behind a redirect. Names are resolved by the worker."""
    image_id = make(client)["id"]
    refused = 202 if "localhost" in url.lower() else 400
    assert ask(client, image_id, "web-download", uri=url) == refused
    work()
    assert point(client, image_id, url) == refused
    work()
    if url.isascii() and url.isprintable() and not url.startswith("//") and not {" ", "\\"} & {*url}:
        assert ask(client, image_id, "web-download", uri=web.url(f"/to?{url}")) == 202
        work()
    told = [task["message"] for task in tasks(client, image_id)]
    assert show(client, image_id)["status"] == "queued"
    for message in told:
        assert not any(
            word in message for word in ("127.0.0.1", "::1", "169.254", "secret", "Errno", "/tmp", "refused")
        )


@pytest.mark.parametrize(
    "image_id", ["../../v3/users", "x/../..", "%2e%2e", "a b", "", "\r\nx: y", "0" * 36, "{}?x=", "{}/file#"]
)
def test_the_other_regions_image_is_an_id(client: TestClient, image_id: str) -> None:
    own = make(client)["id"]
    there = image_id.format(own)
    assert ask(client, own, "glance-download", glance_image_id=there) == 400
    assert tasks(client, own) == []


@pytest.mark.parametrize(
    "more",
    [
        {"glance_region": "http://evil.example/"},
        {"glance_region": "../x"},
        {"glance_region": "x\r\nhost: y"},
        {"glance_service_interface": "' or 1=1 --"},
        {"glance_service_interface": "publicURL\x00"},
    ],
)
def test_regions_are_those_of_the_catalog(client: TestClient, work: Work, web: Web, more: dict[str, Any]) -> None:
    own = make(client)["id"]
    assert ask(client, own, "glance-download", glance_image_id=own, **more) == 202
    work()
    assert show(client, own)["status"] == "queued" and "catalog has no" in tasks(client, own)[0]["message"]
    assert web.asked == []


def test_another_region_gives_no_properties_that_the_caller_may_not_set(
    client: TestClient,
    cloud: Cloud,
    work: Work,
    web: Web,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """And the token goes there and nowhere else: not into rows, tasks or logs."""
    caplog.set_level(logging.DEBUG)
    monkeypatch.setattr("pileus.identity.internal.endpoint", lambda *_args: web.url("/region"))
    for who, given in ((MEMBER, None), (ADMIN, "4")):
        own = make(client, who)["id"]
        web.pages[f"/region/v2/images/{own}"] = THERE
        web.pages[f"/region/v2/images/{own}/file"] = DATA
        assert ask(client, own, "glance-download", who, glance_image_id=own) == 202
        with cloud.db.reading() as db:
            [task] = db.scalars(select(Task).where(Task.image_id == own))
            assert task.sealed and who["x-auth-token"] not in f"{task.sealed}{task.input}"
        work()
        image = show(client, own, who)
        assert (image["status"], image.get("hw_x"), image["os_type"], image["owner"]) == (
            "active", given, "linux", "p1" if who is MEMBER else "ops"
        )  # fmt: skip
        with cloud.db.reading() as db:
            assert db.get_one(Task, task.id, populate_existing=True).sealed is None
        assert who["x-auth-token"] not in str(tasks(client, own, who))
    assert {head.split()[0] for head in web.asked if " " in head} == {MEMBER["x-auth-token"], ADMIN["x-auth-token"]}
    assert MEMBER["x-auth-token"] not in caplog.text and ADMIN["x-auth-token"] not in caplog.text


@pytest.mark.parametrize("status", ["200", "404", "endless"])
def test_secrets_of_urls_are_not_logged(
    client: TestClient, work: Work, web: Web, caplog: pytest.LogCaptureFixture, status: str
) -> None:
    caplog.set_level(logging.INFO)
    url = web.url(f"/disk?{SECRET}", DATA) if status == "200" else web.url(f"/{status}?{SECRET}")
    fetched, pointed = make(client)["id"], make(client)["id"]
    ask(client, fetched, "web-download", uri=url)
    point(client, pointed, url)
    work()
    assert SECRET not in caplog.text
    for image_id in (fetched, pointed):
        assert SECRET not in tasks(client, image_id)[0]["message"]
        assert client.get(f"{IMAGES}/{image_id}/tasks", headers=OTHER).status_code == 404


def test_what_does_not_end(client: TestClient, cloud: Cloud, work: Work, web: Web) -> None:
    image_id = make(client)["id"]
    ask(client, image_id, "web-download", uri=web.url("/endless"))
    work()
    assert show(client, image_id)["status"] == "queued" and "longer than" in tasks(client, image_id)[0]["message"]
    assert files(cloud) == {"file": 0, "second": 0, STAGING: 0}


def test_what_swells(client: TestClient, cloud: Cloud, work: Work, web: Web) -> None:
    """A few KiB that become more than the cloud unpacks, by each way in."""
    bomb = gzip.compress(bytes(64 * MIB))
    image_id = make(client, container_format="compressed")["id"]
    assert upload(client, image_id, bomb) in (400, 413, 415)
    assert stage(client, image_id, bomb) == 204 and ask(client, image_id, "glance-direct") == 202
    work()
    assert show(client, image_id)["status"] == "queued"
    ask(client, image_id, "web-download", uri=web.url("/bomb", bomb))
    work()
    assert show(client, image_id)["status"] == "queued"
    assert files(cloud) == {"file": 0, "second": 0, STAGING: 0}


def signed(data: bytes) -> dict[str, Any]:
    return {
        "img_signature": signers.sign(SIGNER, data),
        "img_signature_hash_method": "SHA-256",
        "img_signature_key_type": "RSA-PSS",
        "img_signature_certificate_uuid": signers.UUID,
    }


def test_a_signature_that_is_changed_meanwhile(
    client: TestClient, cloud: Cloud, work: Work, web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Data are believed for the signature that the image has when it becomes active, not for one that was there before."""
    forged = {"op": "replace", "path": "/img_signature", "value": signers.sign(SIGNER, b"other")}
    staged = receive._staged
    for when in ("staged", "asked", "read"):
        image_id = make(client, **signed(DATA))["id"]
        stage(client, image_id, DATA)
        if when == "staged":
            assert change(client, image_id, forged) == 200
        ask(client, image_id, "glance-direct")
        if when == "asked":
            assert change(client, image_id, forged) == 200
        with monkeypatch.context() as patched:
            if when == "read":

                def late(cloud: Cloud, job: Job, image_id: str = image_id) -> Incoming:
                    assert change(client, image_id, forged) == 200
                    return staged(cloud, job)

                patched.setattr(receive, "_staged", late)
            work()
        assert show(client, image_id)["status"] == "queued", when
        assert "signature" in tasks(client, image_id)[0]["message"]
        assert files(cloud) == {"file": 0, "second": 0, STAGING: 0}


def test_a_change_during_an_import_stays(
    client: TestClient, work: Work, web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    image_id = make(client, colour="red", size_hint="1")["id"]
    ask(client, image_id, "web-download", uri=web.url("/disk", DATA))
    fetch = receive._from_url

    def late(cloud: Cloud, url: str) -> Incoming:
        changes = [{"op": "replace", "path": "/colour", "value": "blue"}, {"op": "remove", "path": "/size_hint"}]
        assert change(client, image_id, *changes) == 200
        assert change(client, image_id, {"op": "replace", "path": "/disk_format", "value": "qcow2"}) == 403
        return fetch(cloud, url)

    monkeypatch.setattr(receive, "_from_url", late)
    work()
    image = show(client, image_id)
    assert (image["status"], image["colour"], image.get("size_hint")) == ("active", "blue", None)
