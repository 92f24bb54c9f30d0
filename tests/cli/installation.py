"""A cloud of fakes as a newcomer starts it, on ports of its own."""

import http.client
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).parents[2]
ROLES = ("agent", "api", "reconcile")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(what: str, look: Callable[[], Any], seconds: float = 15) -> Any:
    deadline = time.monotonic() + seconds
    while not (seen := look()):
        assert time.monotonic() < deadline, f"{what} did not happen within {seconds} s"
        time.sleep(0.02)
    return seen


def alive(pid: int) -> bool:
    """Whether there is such a process, and not only its exit status."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


class Installation:
    """A state folder below `place`, which every user may pass through; `user` runs the commands, if not who runs the tests."""

    def __init__(self, place: Path, *, user: str = "", settings: str = "") -> None:
        self.state = place / "state"
        self.user = user
        self.home = place
        self.listen = f"127.0.0.1:{free_port()}"
        self.metadata = f"127.0.0.1:{free_port()}"
        self.config = place / "pileus.toml"
        self.config.write_text(f'[cloud]\nmetadata_listen = "{self.metadata}"\n{settings}')
        self.config.chmod(0o644)

    def command(self, *arguments: str) -> list[str]:
        state = [] if arguments[0] == "config" else ["--state", str(self.state)]
        words = [arguments[0], *state, *arguments[1:]]
        if not self.user:
            return [str(REPOSITORY / "pileus"), *words]
        surroundings = [f"HOME={self.home}", f"PATH={os.environ['PATH']}", f"PYTHONPATH={self._source()}"]
        python = [sys.executable, "-P", "-m", "pileus.main"]
        return ["runuser", "-u", self.user, "--", "env", "-i", *surroundings, *python, *words]

    def _source(self) -> Path:
        """The code where another user can read it, which a clone in somebody's home is not."""
        copy = self.home / "src"
        if not copy.exists():
            shutil.copytree(REPOSITORY / "src", copy, ignore=shutil.ignore_patterns("__pycache__"))
        return copy

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Output and errors together in `stdout`."""
        return subprocess.run(
            self.command(*arguments),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=60,
            check=False,
        )

    def up_arguments(self) -> list[str]:
        return ["up", "--fake", "--listen", self.listen, "--config", str(self.config)]

    def up(self) -> subprocess.CompletedProcess[str]:
        return self.run(*self.up_arguments(), "--detach")

    def foreground(self, output: Path) -> "subprocess.Popen[bytes]":
        """`up` in a session of its own, as a terminal starts it; what it says goes to the file."""
        with output.open("wb") as file:
            return subprocess.Popen(
                self.command(*self.up_arguments()),
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def pid(self, role: str) -> int:
        return int((self.state / "run" / f"{role}.pid").read_text())

    def processes(self) -> list[int]:
        """All that were started for this state folder and have not ended."""
        found = []
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                command = (entry / "cmdline").read_bytes()
            except OSError:
                continue
            if str(self.state).encode() in command.split(b"\0"):
                found.append(int(entry.name))
        return found

    def get(self, path: str, headers: dict[str, str] | None = None) -> tuple[int, Any]:
        connection = http.client.HTTPConnection(self.listen, timeout=15)
        try:
            connection.request("GET", path, headers=headers or {})
            reply = connection.getresponse()
            return reply.status, json.loads(reply.read())
        finally:
            connection.close()

    def secret(self, name: str) -> str:
        return (self.state / "secrets" / name).read_text().strip()

    def token(self) -> str:
        user = {"name": "admin", "domain": {"id": "default"}, "password": self.secret("admin_password")}
        identity = {"methods": ["password"], "password": {"user": user}}
        scope = {"project": {"name": "admin", "domain": {"id": "default"}}}
        connection = http.client.HTTPConnection(self.listen, timeout=15)
        try:
            connection.request(
                "POST",
                "/identity/v3/auth/tokens",
                json.dumps({"auth": {"identity": identity, "scope": scope}}),
                {"content-type": "application/json"},
            )
            reply = connection.getresponse()
            assert reply.status == 201, reply.read()
            return str(reply.getheader("x-subject-token"))
        finally:
            connection.close()
