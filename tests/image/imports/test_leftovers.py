"""What a failed attempt leaves must not become a part of the next one's image; and no room where files are made."""

import dataclasses
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import delete
from sqlalchemy.orm import Session
from starlette.testclient import TestClient

from pileus.image.cache.copies import Copies
from pileus.image.formats import qemu_img
from pileus.image.formats.limited import Limits
from pileus.image.images.models import Image
from pileus.image.stores.registry import STAGING
from pileus.kernel.cloud import Cloud
from tests.image.api.people import IMAGES, MEMBER, make, show
from tests.image.imports.conftest import Web
from tests.image.imports.test_locations import point
from tests.image.imports.walks import ask, files, tasks

Work = Callable[[], int]
DATA = b"guest" * 1000
MIB = 1 << 20


@pytest.fixture
def settings() -> str:
    return 'convert_to = "raw"'


def test_an_address_that_was_refused(client: TestClient, web: Web, work: Work) -> None:
    """It has other bytes than the image that comes then."""
    image_id = make(client)["id"]
    wrong = {"os_hash_algo": "sha512", "os_hash_value": "0" * 128}
    assert point(client, image_id, web.url("/other", DATA[::-1]), said=wrong) == 202 and work() == 1
    assert show(client, image_id)["status"] == "queued"
    assert ask(client, image_id, "web-download", uri=web.url("/disk", DATA)) == 202 and work() == 1
    image = show(client, image_id)
    assert (image["status"], image["stores"], len(image["locations"])) == ("active", "file", 1)
    assert client.get(f"{IMAGES}/{image_id}/file", headers=MEMBER).content == DATA


@pytest.mark.skipif(shutil.which("qemu-img") is None, reason="qemu-img is not installed")
def test_no_room_while_converting(
    client: TestClient, cloud: Cloud, web: Web, work: Work, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw, qcow2, convert = tmp_path / "raw", tmp_path / "qcow2", qemu_img.convert
    raw.write_bytes(b"guest" * MIB)
    convert(raw, "raw", qcow2, "qcow2", compress=True)

    def short_of_room(
        source: Path,
        source_format: str,
        target: Path,
        target_format: str,
        *,
        progress: Callable[[float], None],
        stop: Callable[[], bool],
        limits: Limits,
    ) -> None:
        less = dataclasses.replace(limits, file_bytes=MIB)
        convert(source, source_format, target, target_format, progress=progress, stop=stop, limits=less)

    monkeypatch.setattr(qemu_img, "convert", short_of_room)
    image_id = make(client, disk_format="qcow2")["id"]
    assert ask(client, image_id, "web-download", uri=web.url("/disk", qcow2.read_bytes())) == 202 and work() == 1
    [task] = tasks(client, image_id)
    assert task["status"] == "failure" and "could not be converted" in task["message"]
    assert show(client, image_id)["status"] == "queued" and files(cloud) == {"file": 0, "second": 0, STAGING: 0}


def test_a_download_of_what_is_deleted_meanwhile(
    client: TestClient, cloud: Cloud, web: Web, work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was opened by then: the client gets it, and no copy is wished for."""
    image_id, ask_for = make(client)["id"], Copies.ask
    assert point(client, image_id, web.url("/disk", DATA)) == 202 and work() == 1

    def deleted_by_now(copies: Copies, db: Session, asked: str) -> None:
        db.execute(delete(Image).where(Image.id == asked))
        ask_for(copies, db, asked)

    monkeypatch.setattr(Copies, "ask", deleted_by_now)
    reply = client.get(f"{IMAGES}/{image_id}/file", headers=MEMBER)
    assert (reply.status_code, reply.content) == (200, DATA)
