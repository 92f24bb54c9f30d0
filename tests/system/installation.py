"""A cloud as a newcomer gets it: started by `./pileus up`, asked over HTTP, looked at from below."""

import http.client
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

REPOSITORY = Path(__file__).parents[2]
ENDPOINT = "http://127.0.0.1:8780"


class Refused(Exception):
    def __init__(self, status: int, body: str) -> None:
        super().__init__(f"{status}: {body[:300]}")
        self.status = status


def wait_for(what: str, look: Callable[[], Any], seconds: float = 60, every: float = 0.1) -> Any:
    """The first true answer of `look`. Raises AssertionError that says what was waited for, and what was seen last."""
    deadline = time.monotonic() + seconds
    while True:
        seen = look()
        if seen:
            return seen
        assert time.monotonic() < deadline, f"{what} did not happen within {seconds} s"
        time.sleep(every)


class Installation:
    """One state folder and the cloud that runs on it."""

    def __init__(self, state: Path) -> None:
        self.state = state
        self._token: dict[str, str] = {}

    def pileus(self, *arguments: str, check: bool = True) -> str:
        command = [str(REPOSITORY / "pileus"), arguments[0], "--state", str(self.state), *arguments[1:]]
        done = subprocess.run(
            command, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=300, check=False
        )
        if check:
            assert done.returncode == 0, f"{' '.join(arguments)}: {done.stdout}{done.stderr}"
        return done.stdout + done.stderr

    def pid(self, role: str) -> int:
        return int((self.state / "run" / f"{role}.pid").read_text())

    def secret(self, name: str) -> str:
        return (self.state / "secrets" / name).read_text().strip()

    def token(self, user: str) -> str:
        if user not in self._token:
            password = {
                "user": {"name": user, "domain": {"id": "default"}, "password": self.secret(f"{user}_password")}
            }
            scope = {"project": {"name": user, "domain": {"id": "default"}}}
            body = {"auth": {"identity": {"methods": ["password"], "password": password}, "scope": scope}}
            headers, _ = self._send("POST", "/identity/v3/auth/tokens", body, {})
            self._token[user] = headers["x-subject-token"]
        return self._token[user]

    def call(self, method: str, path: str, body: Any = None, user: str = "demo", version: str = "compute 2.96") -> Any:
        headers = {"x-auth-token": self.token(user), "openstack-api-version": version}
        return self._send(method, path, body, headers)[1]

    def _send(self, method: str, path: str, body: Any, headers: dict[str, str]) -> tuple[dict[str, str], Any]:
        connection = http.client.HTTPConnection(urlsplit(ENDPOINT).netloc, timeout=30)
        try:
            data = json.dumps(body) if body is not None else None
            connection.request(method, path, data, headers | {"content-type": "application/json"})
            reply = connection.getresponse()
            text = reply.read().decode()
            if reply.status >= 400:
                raise Refused(reply.status, text)
            return {k.lower(): v for k, v in reply.getheaders()}, json.loads(text) if text else None
        finally:
            connection.close()

    def server(self, server_id: str) -> dict[str, Any] | None:
        try:
            found: dict[str, Any] = self.call("GET", f"/compute/v2.1/servers/{server_id}", user="admin")["server"]
        except Refused as refused:
            if refused.status == 404:
                return None
            raise
        return found

    def boot(self, name: str, **more: Any) -> str:
        image = self.call("GET", "/image/v2/images?name=pico")["images"][0]["id"]
        network = self.call("GET", "/network/v2.0/networks?name=private")["networks"][0]["id"]
        wish = {"name": name, "imageRef": image, "flavorRef": "42", "networks": [{"uuid": network}]} | more
        made: str = self.call("POST", "/compute/v2.1/servers", {"server": wish})["server"]["id"]
        return made

    def wait_active(self, server_id: str, seconds: float = 60) -> dict[str, Any]:
        def settled() -> dict[str, Any] | None:
            found = self.server(server_id)
            assert found is not None and found["status"] != "ERROR", found and found.get("fault")
            return found if found["status"] == "ACTIVE" and not found["OS-EXT-STS:task_state"] else None

        found: dict[str, Any] = wait_for(f"{server_id} ACTIVE", settled, seconds)
        return found

    def wait_gone(self, server_id: str, seconds: float = 60) -> None:
        wait_for(f"{server_id} gone", lambda: self.server(server_id) is None, seconds)

    def qemus(self) -> dict[int, str]:
        """Pid -> command line of every guest of this state folder."""
        found = {}
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            except OSError:
                continue
            if command.split(" ")[0].endswith("qemu-system-x86_64") and str(self.state) in command:
                found[int(entry.name)] = command
        return found

    def guests_of(self, server_id: str) -> list[int]:
        return [pid for pid, command in self.qemus().items() if server_id in command]

    def traces(self, server_id: str, ports: list[str]) -> list[str]:
        """Everything on this host that names the server or its ports: must be empty after its deletion."""
        found = [f"qemu {pid}" for pid in self.guests_of(server_id)]
        found += [
            str(p) for p in self.state.rglob(f"*{server_id}*") if "log" not in p.relative_to(self.state).parts[:1]
        ]
        links = subprocess.run(["ip", "-o", "link"], capture_output=True, text=True, check=True).stdout
        rules = subprocess.run(["nft", "list", "ruleset"], capture_output=True, text=True, check=False).stdout
        for port in ports:
            found += [f"device of {port}" for _ in range(links.count(port[:11]))]
            found += [f"rule of {port}" for _ in range(min(1, rules.count(port[:11])))]
        audit = self.pileus("audit", check=False)
        return found + [line for line in audit.splitlines() if line and line != "0 findings."]

    def kill(self, pid: int) -> None:
        os.kill(pid, signal.SIGKILL)


@contextmanager
def installation(state: Path, *options: str) -> Iterator[Installation]:
    """`./pileus up --detach` on the folder; `down --all` at the end."""
    state.mkdir(mode=0o711, parents=True, exist_ok=True)
    cloud = Installation(state)
    cloud.pileus("up", "--detach", *options)
    try:
        yield cloud
    finally:
        cloud.pileus("down", "--all")
