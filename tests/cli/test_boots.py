"""Twenty servers at once, through the API, of a cloud of fakes: the host fetches their image once."""

import hashlib
import http.client
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.installation import Installation, wait_for

COUNT = 20


class Api:
    """Compute as the administrator of the project admin."""

    def __init__(self, cloud: Installation) -> None:
        self.listen = cloud.listen
        self.headers = {"x-auth-token": cloud.token(), "content-type": "application/json"}
        self.headers["openstack-api-version"] = "compute 2.60"

    def __call__(self, method: str, path: str, body: Any = None) -> Any:
        connection = http.client.HTTPConnection(self.listen, timeout=30)
        try:
            connection.request(method, f"/compute/v2.1{path}", json.dumps(body) if body else None, self.headers)
            reply = connection.getresponse()
            data = reply.read()
            assert reply.status < 300, data
            return json.loads(data) if data else None
        finally:
            connection.close()


@pytest.fixture
def roomy(folder: Path) -> Iterator[Installation]:
    made = Installation(folder, settings=f"[compute]\nquota_instances = {COUNT}\nquota_cores = {COUNT}\n")
    started = made.up()
    assert started.returncode == 0, started.stdout
    yield made
    made.run("down")
    assert made.processes() == []


def test_twenty_servers_at_once_fetch_their_image_once(roomy: Installation, tmp_path: Path) -> None:
    cloud = roomy
    disk = tmp_path / "twenty.raw"
    disk.write_bytes(os.urandom(8 << 20))
    digest = hashlib.sha256(disk.read_bytes()).hexdigest()
    told = cloud.run("image", "add", str(disk), "--name", "twenty", "--disk-format", "raw", "--sha256", digest)
    assert told.returncode == 0, told.stdout
    image_id = told.stdout.split()[1].rstrip(",")
    api = Api(cloud)
    flavor = next(flavor["id"] for flavor in api("GET", "/flavors")["flavors"] if flavor["name"] == "m1.nano")
    wish = {"name": "many", "imageRef": image_id, "flavorRef": flavor, "networks": "none"}

    def of_the_image() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = api("GET", f"/servers/detail?image={image_id}")["servers"]
        return found

    api("POST", "/servers", {"server": wish | {"min_count": COUNT, "max_count": COUNT}})
    wait_for("all ACTIVE", lambda: [s["status"] for s in of_the_image()] == ["ACTIVE"] * COUNT, 60)
    log = (cloud.state / "log" / "agent.log").read_text()
    assert len(re.findall(f"image {image_id}: 8 MB came to this host", log)) == 1
    (copy,) = (cloud.state / "compute" / "base").glob(f"{image_id}.*")
    assert copy.read_bytes() == disk.read_bytes()
