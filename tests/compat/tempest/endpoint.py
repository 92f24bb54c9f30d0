"""The cloud under test, as its administrator sees it over HTTP: what tempest's configuration must be told."""

import json
import tomllib
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from pileus.cli import running


class Endpoint:
    """A running cloud of a state folder. Raises SystemExit when none runs there."""

    def __init__(self, state: Path) -> None:
        if not running.is_up(state):
            raise SystemExit(f"No cloud is up in {state}: start one with `./pileus up --detach --state {state}`.")
        self.state = state
        self.url: str = running.facts(state)["endpoint"]
        self.password = (state / "secrets" / "admin_password").read_text().strip()
        self.token = ""
        reply = self._open("POST", "/identity/v3/auth/tokens", json.dumps(_login(self.password)).encode())
        self.token = reply.headers["x-subject-token"]
        self.services = {entry["type"] for entry in json.load(reply)["token"]["catalog"]}

    def get(self, path: str) -> Any:
        return json.load(self._open("GET", path))

    def first(self, path: str, collection: str) -> dict[str, Any]:
        """The first of a list; SystemExit when it is empty, as a cloud without its seeds has it."""
        found: list[dict[str, Any]] = self.get(path)[collection]
        if not found:
            raise SystemExit(f"Tempest needs one of these, and the cloud has none: {path}")
        return found[0]

    def settings(self, section: str) -> dict[str, Any]:
        """What the cloud's configuration file says there; empty where all is as by default."""
        file = running.facts(self.state).get("config")
        written: dict[str, Any] = tomllib.loads(Path(file).read_text()).get(section, {}) if file else {}
        return written

    def download(self, image: str, to: Path) -> None:
        with self._open("GET", f"/image/v2/images/{image}/file") as reply:
            to.write_bytes(reply.read())

    def upload(self, name: str, file: Path) -> str:
        """A public qcow2 image of the file's bytes: its id."""
        wish = {"name": name, "disk_format": "qcow2", "container_format": "bare", "visibility": "public"}
        made: str = self._post("/image/v2/images", wish)["id"]
        self._open("PUT", f"/image/v2/images/{made}/file", file.read_bytes(), "application/octet-stream")
        return made

    def second_address(self, kind: str, path: str) -> str:
        """One more service in the catalog, of a type of its own, that leads to the same place. Its id."""
        made: str = self._post("/identity/v3/services", {"service": {"type": kind, "name": kind}})["service"]["id"]
        wish = {"service_id": made, "interface": "public", "region_id": "RegionOne", "url": self.url + path}
        self._post("/identity/v3/endpoints", {"endpoint": wish})
        return made

    def delete_image(self, image: str) -> None:
        self.delete(f"/image/v2/images/{image}")

    def delete(self, path: str) -> None:
        self._open("DELETE", path)

    def _post(self, path: str, body: object) -> Any:
        return json.load(self._open("POST", path, json.dumps(body).encode()))

    def _open(self, method: str, path: str, body: bytes | None = None, kind: str = "application/json") -> Any:
        headers = {"x-auth-token": self.token, "content-type": kind}
        request = urllib.request.Request(self.url + path, body, headers, method=method)
        try:
            return urllib.request.urlopen(request, timeout=120)
        except urllib.error.HTTPError as error:
            raise SystemExit(f"{method} {path} answers {error.code}: {error.read().decode()[:300]}") from None


def _login(password: str) -> dict[str, Any]:
    user = {"name": "admin", "domain": {"id": "default"}, "password": password}
    scope = {"project": {"name": "admin", "domain": {"id": "default"}}}
    return {"auth": {"identity": {"methods": ["password"], "password": {"user": user}}, "scope": scope}}
