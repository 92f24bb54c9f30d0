"""A state folder with its processes: started, told where to die, started again; and one client."""

import contextlib
import http.client
import multiprocessing
import os
import resource
import signal
import socket
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping
from itertools import count
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import select

from pileus.image.locations.models import ImageLocation
from pileus.kernel.cloud import Cloud
from pileus.kernel.http.call import Json
from tests.image.api.people import ADMIN, MEMBER, OCTETS, eventually
from tests.image.imports.conftest import Web
from tests.image.kills import process
from tests.image.kills.points import ARM, Order

PATIENCE = 20  # seconds until something that must happen counts as not happening
START = multiprocessing.get_context("forkserver")
START.set_forkserver_preload(["pytest", "tests.image.kills.process"])
JSON = {"content-type": "application/json"}


class Role:
    """One process, as often as it is started."""

    def __init__(self, target: Callable[..., None], *args: object) -> None:
        self._target = target
        self._args = args
        self.process: ForkServerProcess | None = None

    @property
    def pid(self) -> int:
        assert self.process is not None and self.process.pid is not None
        return self.process.pid

    def start(self) -> None:
        self.process = START.Process(target=self._target, args=self._args, daemon=True)
        self.process.start()

    def join(self) -> None:
        """It has died of SIGKILL, as it was told."""
        assert self.process is not None
        self.process.join(PATIENCE)
        assert self.process.exitcode == -signal.SIGKILL, self.process.exitcode
        self.process = None

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.join()


class Site:
    """`cloud` is this test process's own view of the state."""

    def __init__(self, cloud: Cloud, file: Path, web: Web) -> None:
        self.cloud = cloud
        self.web = web
        self.file = file
        self.state = cloud.config.state
        self._listener = socket.create_server(("127.0.0.1", 0))  # outlives the processes that answer on it
        self.api = Role(process.api, self.state, file, self._listener)
        self.worker = Role(process.worker, self.state, file, 0.1)
        self.second = Role(process.worker, self.state, file, 0.1)
        self._numbers = count(1)

    def start(self) -> None:
        """Those that always run."""
        for role in (self.api, self.worker):
            if role.process is None:
                role.start()

    @contextlib.contextmanager
    def another_worker(self) -> Iterator[None]:
        self.second.start()
        yield
        self.second.kill()

    def close(self) -> None:
        for role in (self.api, self.worker, self.second):
            role.kill()
        self._listener.close()

    # orders

    def tell(self, point: str, time: int = 1, act: str = "kill") -> None:
        order = self.state / f"{ARM}.new"
        order.write_bytes(msgspec.json.encode(Order(point, time, act, next(self._numbers))))
        order.rename(self.state / ARM)

    def untell(self) -> None:
        """What a failed test left."""
        for file in (self.state / ARM, *self.state.glob("wait-*")):
            file.unlink(missing_ok=True)

    def dies(self, role: Role) -> None:
        """It does what it was told; then all that it held is free, as if the leases had ended."""
        role.join()
        assert not (self.state / ARM).exists(), "another process died"
        self.expire()

    @contextlib.contextmanager
    def frozen(self, role: Role) -> Iterator[None]:
        """It waits where it was told to; meanwhile it stands still altogether, and its leases have ended."""
        mark = self.waits(role)
        self._freeze(role)
        self.expire()
        try:
            yield
        finally:
            mark.unlink()
            os.kill(role.pid, signal.SIGCONT)

    def waits(self, role: Role) -> Path:
        """It has come to where it waits, until the file is gone."""
        mark = self.state / f"wait-{role.pid}"
        assert eventually(mark.exists, PATIENCE)
        return mark

    def hears(self, worker: Role) -> bool:
        """Is it through with what it does first, so that it hears messages now?"""
        return f"{worker.pid} listens" in (self.state / "worker.log").read_text()

    def is_through(self, role: Role, image_id: str) -> bool:
        """Has the process come to the end of the image's latest task, as far as it went with it?"""
        notes = self.state / f"worked-{role.pid}"
        return notes.exists() and str(self.task(image_id)["id"]) in notes.read_text().split()

    def places(self, image_id: str) -> list[str]:
        """The stores that have or are to have its data."""
        with self.cloud.db.reading() as db:
            return list(db.scalars(select(ImageLocation.store).where(ImageLocation.image_id == image_id)))

    def _freeze(self, role: Role) -> None:
        """Not in the middle of a transaction: nobody could write."""
        while True:
            os.kill(role.pid, signal.SIGSTOP)
            with contextlib.closing(sqlite3.connect(self.state / "db" / "pileus.sqlite", timeout=0.1)) as db:
                try:
                    db.execute("BEGIN IMMEDIATE")
                    return
                except sqlite3.OperationalError:
                    os.kill(role.pid, signal.SIGCONT)
                    time.sleep(0.01)

    def expire(self) -> None:
        with contextlib.closing(sqlite3.connect(self.state / "db" / "pileus.sqlite", timeout=30)) as db, db:
            db.execute("UPDATE image_locations SET until = '2020-01-01 00:00:00.000000' WHERE until IS NOT NULL")
            db.execute(
                "UPDATE image_tasks SET lease_until = '2020-01-01 00:00:00.000000' WHERE lease_until IS NOT NULL"
            )

    def hurry(self) -> None:
        """What waits to be tried again is due."""
        with contextlib.closing(sqlite3.connect(self.state / "db" / "pileus.sqlite", timeout=30)) as db, db:
            db.execute("UPDATE image_tasks SET retry_at = '2020-01-01 00:00:00.000000' WHERE retry_at IS NOT NULL")

    @contextlib.contextmanager
    def full_disk(self, role: Role, most: int) -> Iterator[None]:
        """No file that it writes can be longer than `most` bytes."""
        before = resource.prlimit(role.pid, resource.RLIMIT_FSIZE, (most, resource.RLIM_INFINITY))
        yield
        resource.prlimit(role.pid, resource.RLIMIT_FSIZE, before)

    # the client

    def ask(
        self, method: str, path: str, body: bytes | None = None, who: Mapping[str, str] = MEMBER, **more: str
    ) -> tuple[int, bytes]:
        """Status and body; 0 when the process died before it answered."""
        link = http.client.HTTPConnection("127.0.0.1", self._listener.getsockname()[1], timeout=PATIENCE)
        headers = {**who, **(OCTETS if method == "PUT" and body is not None else JSON), **more}
        with contextlib.closing(link):
            try:
                link.request(method, f"/image/v2{path}", body, headers)
                reply = link.getresponse()
                return reply.status, reply.read()
            except (ConnectionError, http.client.HTTPException):
                return 0, b""

    def json(self, method: str, path: str, body: object = None, who: Mapping[str, str] = MEMBER) -> Any:
        status, text = self.ask(method, path, msgspec.json.encode(body) if body is not None else None, who)
        assert 200 <= status < 300, (method, path, status, text)
        return msgspec.json.decode(text) if text else None

    def make(self, **more: object) -> str:
        body = {"name": "disk", "disk_format": "raw", "container_format": "bare", **more}
        return str(self.json("POST", "/images", body)["id"])

    def active(self, data: bytes, **more: object) -> str:
        image_id = self.make(**more)
        assert self.send(image_id, data) == 204
        return image_id

    def send(self, image_id: str, data: bytes, where: str = "file") -> int:
        return self.ask("PUT", f"/images/{image_id}/{where}", data)[0]

    def bring(self, image_id: str, method: str, who: Mapping[str, str] = MEMBER, **more: object) -> None:
        """Ask for an import; `uri` belongs to the method."""
        uri = {"uri": more.pop("uri")} if "uri" in more else {}
        self.json("POST", f"/images/{image_id}/import", {"method": {"name": method, **uri}, **more}, who)

    def show(self, image_id: str) -> Json:
        shown: Json = self.json("GET", f"/images/{image_id}")
        return shown

    def data(self, image_id: str) -> bytes:
        status, data = self.ask("GET", f"/images/{image_id}/file")
        assert status == 200, (status, data[:200])
        return data

    def task(self, image_id: str) -> Json:
        """The image's latest."""
        found: Json = self.admin("GET", f"/images/{image_id}/tasks")["tasks"][0]
        return found

    def becomes(self, image_id: str, status: str) -> bool:
        return eventually(lambda: self.show(image_id)["status"] == status, PATIENCE)

    def admin(self, method: str, path: str, body: object = None) -> Any:
        return self.json(method, path, body, ADMIN)
