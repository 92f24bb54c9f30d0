"""`pileus why`: words for a server that found no host."""

import http.client
import json
from typing import Any

from tests.cli.installation import Installation


def post(cloud: Installation, path: str, body: object) -> Any:
    connection = http.client.HTTPConnection(cloud.listen, timeout=15)
    headers = {
        "content-type": "application/json",
        "x-auth-token": cloud.token(),
        "openstack-api-version": "compute 2.96",
    }
    connection.request("POST", path, json.dumps(body), headers)
    reply = connection.getresponse()
    answer = json.loads(reply.read())
    connection.close()
    assert reply.status < 300, answer
    return answer


def test_a_server_without_a_host(cloud: Installation) -> None:
    flavor = {"name": "vast", "ram": 64, "vcpus": 1, "disk": 10**8}
    made = post(cloud, "/compute/v2.1/flavors", {"flavor": flavor})["flavor"]["id"]
    wish = {"name": "lonely", "flavorRef": made, "imageRef": image(cloud), "networks": "none"}
    server = post(cloud, "/compute/v2.1/servers", {"server": wish})["server"]["id"]
    said = cloud.run("why", "lonely")
    assert said.returncode == 0, said.stdout
    assert f"{server} lonely: ERROR" in said.stdout
    assert "1 host: 1 lacks 100000000 DISK_GB (Placement)" in said.stdout
    assert "now: No valid host was found." in said.stdout
    assert "lacks 100000000 DISK_GB: it gives at most" in said.stdout
    assert cloud.run("why", server).stdout.splitlines()[0] == said.stdout.splitlines()[0]
    nobody = cloud.run("why", "nobody")
    assert (nobody.returncode, nobody.stdout.strip()) == (1, "There is no server of the id or name nobody.")


def image(cloud: Installation) -> str:
    status, body = cloud.get("/image/v2/images", {"x-auth-token": cloud.token()})
    assert status == 200
    return str(body["images"][0]["id"])
