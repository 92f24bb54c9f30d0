"""`pileus image add`: whose bytes they are, what they are, and that they become an image."""

import gzip
import hashlib
import json
import os
import re
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from pileus.cli import image_add
from pileus.cli.image_add import Refused, compare, listed, look, opened, read_properties, store
from pileus.cli.options import RECIPES, parser
from pileus.identity import internal as identity
from pileus.image import internal as images
from pileus.image.formats import FormatRefused
from pileus.kernel.cloud import Cloud
from pileus.setup import places
from tests.cli.installation import Installation
from tests.cloud import cloud_of
from tests.image.api.conftest import IMAGE
from tests.image.formats.disks import qcow2

DISK = bytes(510) + b"\x55\xaa" + os.urandom(1 << 20)


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass

    def do_GET(self) -> None:
        if self.path == "/cut":
            self.send_response(200)
            self.send_header("content-length", "1000")
            self.end_headers()
            self.wfile.write(b"x" * 10)
        elif self.path == "/moved":
            self.send_response(302)
            self.send_header("location", "/disk.raw")
            self.end_headers()
        elif self.path == "/out":
            self.send_response(302)
            self.send_header("location", "file:///etc/passwd")
            self.end_headers()
        else:
            super().do_GET()


@pytest.fixture
def site(tmp_path: Path) -> Iterator[str]:
    (tmp_path / "disk.raw").write_bytes(DISK)
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=tmp_path)) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    cache = tmp_path / "cache"
    found = places.find()._replace(cache=cache)
    monkeypatch.setattr(places, "find", lambda: found)
    return cache


def seen(path: Path, data: bytes, declared: str | None = None) -> image_add.Look:
    path.write_bytes(data)
    with path.open("rb") as file:
        return look(file, declared)


def test_the_format_is_what_the_bytes_say(tmp_path: Path) -> None:
    disk = tmp_path / "image.img"
    assert seen(disk, DISK)[:2] == ("raw", len(DISK))
    assert seen(disk, qcow2(), "qcow2").disk_format == seen(disk, qcow2()).disk_format == "qcow2"
    assert seen(disk, b"GRUB", "raw") == (
        "raw",
        4,
        {name: hashlib.new(name, b"GRUB").hexdigest() for name in ("sha256", "sha512")},
    )
    with pytest.raises(FormatRefused, match="declared as 'vmdk'"):
        seen(disk, qcow2(), "vmdk")
    with pytest.raises(Refused, match="--disk-format raw"):
        seen(disk, b"GRUB")
    with pytest.raises(Refused, match="packed with gzip"):
        seen(disk, gzip.compress(DISK))


def test_a_hash_or_a_list_of_hashes(tmp_path: Path) -> None:
    facts = seen(tmp_path / "disk.raw", DISK)
    right, wrong = hashlib.sha512(DISK).hexdigest(), hashlib.sha512(b"").hexdigest()
    compare(facts, "sha512", right.upper(), "disk.raw")
    with pytest.raises(Refused, match=f"not {wrong}"):
        compare(facts, "sha512", wrong, "disk.raw")
    sums = tmp_path / "SHA512SUMS"
    sums.write_text(f"{wrong}  other-disk.raw\n{right}  disk.raw\n")
    compare(facts, "sha512", str(sums), "https://example.org/images/disk.raw?mirror=1")
    with pytest.raises(Refused, match="none for missing"):
        compare(facts, "sha512", str(sums), "missing.raw")


@pytest.mark.parametrize("line", ["{}  a.img", "{} *a.img", "SHA256 (a.img) = {}"])
def test_lists_as_distributions_write_them(line: str) -> None:
    digest = hashlib.sha256(b"a").hexdigest()
    other = line.format("0" * 64).replace("a.img", "aa.img")
    assert listed(f"# comment\n{other}\n{line.format(digest)}\n", "a.img", 64) == digest


def test_from_a_web_server(site: str, here: Path) -> None:
    for path in ("disk.raw", "moved"):
        with opened(f"{site}/{path}") as file:
            assert file.read() == DISK
    for path, error, words in (("cut", Refused, "10 of 1000"), ("none", OSError, "404"), ("out", OSError, "file")):
        with pytest.raises(error, match=words), opened(f"{site}/{path}"):
            pass
    assert list(here.iterdir()) == []


def test_properties() -> None:
    assert read_properties(["os_distro=debian", "a=b=c", "empty="]) == {"os_distro": "debian", "a": "b=c", "empty": ""}
    with pytest.raises(Refused, match="NAME=VALUE"):
        read_properties(["os_distro"])


def test_every_recipe_can_be_built() -> None:
    from importlib import import_module

    for name in RECIPES:
        assert callable(import_module(f"pileus.image.recipes.{name}").build)
        assert parser().parse_args(["image", "build", name, "file"]).out == Path("file")


def stored_as(cloud: Cloud, path: Path, name: str) -> str:
    options = parser().parse_args(["image", "add", str(path), "--name", name, "--visibility", "private"])
    with path.open("rb") as file:
        return store(cloud, file, look(file, None), options, {"os_distro": "own"})


def test_storing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(identity, "project_id", lambda db, name: "p1")
    disk = tmp_path / "disk.raw"
    disk.write_bytes(DISK)
    with cloud_of(tmp_path, IMAGE) as cloud:
        image_id = stored_as(cloud, disk, "own")
        assert stored_as(cloud, disk, "own") == image_id
        with cloud.db.reading() as db:
            facts = images.facts(db, [image_id])[image_id]
        assert (facts.status, facts.owner, facts.visibility, facts.size) == ("active", "p1", "private", len(DISK))
        assert (facts.disk_format, facts.min_disk, facts.properties) == ("raw", 1, {"os_distro": "own"})
        disk.write_bytes(DISK + b"more")
        with pytest.raises(Refused, match="own already"):
            stored_as(cloud, disk, "own")


def test_a_file_becomes_an_image(cloud: Installation, tmp_path: Path) -> None:
    """The file is the operator's alone: the roles' user could not open it."""
    disk = tmp_path / "own.img"
    disk.write_bytes(DISK)
    disk.chmod(0o600)
    words = ("--name", "own", "--property", "os_distro=own", "--sha512", hashlib.sha512(DISK).hexdigest())
    told = cloud.run("image", "add", str(disk), *words)
    assert told.returncode == 0, told.stdout
    (image_id,) = re.findall(r"own: ([0-9a-f-]{36}), raw, a disk of 0.0 GiB\n", told.stdout)
    status, image = cloud.get(f"/image/v2/images/{image_id}", {"x-auth-token": cloud.token()})
    assert status == 200, json.dumps(image)
    assert (image["status"], image["visibility"], image["os_distro"]) == ("active", "public", "own")
    assert (image["size"], image["min_disk"], image["os_hash_value"]) == (
        len(DISK),
        1,
        hashlib.sha512(DISK).hexdigest(),
    )

    assert cloud.run("image", "add", str(disk), *words).stdout == told.stdout
    disk.write_bytes(DISK + b"more")
    again = cloud.run("image", "add", str(disk), *words[:4])
    assert (again.returncode, "own already" in again.stdout) == (1, True)
    wrong = cloud.run("image", "add", str(disk), *words)
    assert (wrong.returncode, "its sha512 is" in wrong.stdout) == (1, True)
    missing = cloud.run("image", "add", str(disk.with_name("none")), *words)
    assert (missing.returncode, "No such file" in missing.stdout) == (1, True)
