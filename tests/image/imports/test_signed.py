"""Signed images, on every way in."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from pileus.kernel.cloud import Cloud
from tests.image.api.people import make, show, upload
from tests.image.imports.conftest import Web
from tests.image.imports.walks import ask, files, stage, tasks
from tests.image.signatures import signers

DATA = b"guest" * 1000
SIGNER = signers.key("RSA-PSS")
Work = Callable[[], int]


@pytest.fixture
def settings(tmp_path: Path, request: pytest.FixtureRequest) -> str:
    folder = tmp_path / "signers"
    folder.mkdir()
    signers.put(folder, signers.certificate(SIGNER))
    return f'signers_folder = "{folder}"\nconvert_to = "{getattr(request, "param", "")}"'


def signed(data: bytes) -> dict[str, Any]:
    return {
        "img_signature": signers.sign(SIGNER, data),
        "img_signature_hash_method": "SHA-256",
        "img_signature_key_type": "RSA-PSS",
        "img_signature_certificate_uuid": signers.UUID,
    }


def test_an_upload(client: TestClient, cloud: Cloud) -> None:
    image_id = make(client, **signed(DATA))["id"]
    assert upload(client, image_id, DATA[:-1]) == 400 and show(client, image_id)["status"] == "queued"
    assert files(cloud)["file"] == 0
    assert upload(client, image_id, DATA) == 204 and show(client, image_id)["status"] == "active"
    unknown = signed(DATA) | {"img_signature_certificate_uuid": "0" * 8 + signers.UUID[8:]}
    assert upload(client, make(client, **unknown)["id"], DATA) == 400


def test_imports(client: TestClient, web: Web, work: Work) -> None:
    for data, status in ((DATA, "active"), (DATA[::-1], "queued")):
        staged, fetched = make(client, **signed(DATA))["id"], make(client, **signed(DATA))["id"]
        assert stage(client, staged, data) == 204 and ask(client, staged, "glance-direct") == 202
        assert ask(client, fetched, "web-download", uri=web.url("/disk", data)) == 202
        assert work() == 2
        for image_id in (staged, fetched):
            assert show(client, image_id)["status"] == status
            assert ("signature" in tasks(client, image_id)[0]["message"]) == (status == "queued")


@pytest.mark.parametrize("settings", ["qcow2"], indirect=True)
def test_what_is_converted_is_signed_no_more(client: TestClient, work: Work) -> None:
    image_id = make(client, **signed(DATA))["id"]
    stage(client, image_id, DATA)
    ask(client, image_id, "glance-direct")
    work()
    image = show(client, image_id)
    assert (image["status"], image["disk_format"]) == ("active", "qcow2") and "img_signature" not in image
