"""Requests on a cloud of fakes: tokens, validations, lists of servers, servers made."""

import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from http.client import HTTPConnection
from itertools import repeat
from statistics import median
from typing import Any
from urllib.parse import urlsplit

from tests.system.installation import ENDPOINT, Installation, wait_for

from bench.clouds import cloud, lift_quotas
from bench.figures import Figure
from bench.machine import Meter

SECONDS = 1.5  # of each run
SINGLES = 10  # servers made one after the other in a run
BATCH = 50  # servers of one request while filling
FILLING = 240  # seconds that 1,000 servers may take
COUNTS = (0, 100, 1000)


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes | None = None
    status: int = 200


@dataclass(frozen=True)
class Sample:
    """Requests a second, median milliseconds of one, CPU milliseconds of the cloud for one."""

    rate: float
    took: float
    cpu: float
    others: float


def measure(runs: int) -> list[Figure]:
    with cloud("--fake") as running:
        lift_quotas(running)
        token = running.token("admin")
        known = {"x-auth-token": token}
        issue = log_in(running)
        validate = Request("GET", "/identity/v3/auth/tokens", known | {"x-subject-token": token})
        figures = _figures(running, "token issued", issue, runs) + _figures(running, "token validated", validate, runs)
        desk = Desk(running)
        for count in COUNTS:
            desk.fill(count)
            detail = Request("GET", "/compute/v2.1/servers/detail", known)
            figures += _figures(running, f"GET /servers/detail of {count:,}", detail, runs)
            if count in (COUNTS[0], COUNTS[-1]):
                figures += desk.singles(runs)
    return figures


def log_in(cloud: Installation) -> Request:
    domain = {"id": "default"}
    user = {"name": "admin", "domain": domain, "password": cloud.secret("admin_password")}
    scope = {"project": {"name": "admin", "domain": domain}}
    body = {"auth": {"identity": {"methods": ["password"], "password": {"user": user}}, "scope": scope}}
    return Request("POST", "/identity/v3/auth/tokens", {}, json.dumps(body).encode(), 201)


def _figures(cloud: Installation, name: str, request: Request, runs: int) -> list[Figure]:
    drive(cloud, request, 1, 0.3)  # warm
    alone = [drive(cloud, request, 1, SECONDS) for _ in range(runs)]
    crowd = [drive(cloud, request, 8, SECONDS) for _ in range(runs)]
    quiet, busy = [s.others for s in alone], [s.others for s in crowd]
    return [
        Figure(name, "ms", [s.took for s in alone], quiet, None, "one client, median of its requests"),
        Figure(name, "a second", [s.rate for s in crowd], busy, None, "eight clients"),
        Figure(f"{name}, CPU of one", "ms", [s.cpu for s in crowd], busy, None, "all processes of the cloud"),
    ]


def drive(cloud: Installation, request: Request | Iterator[Request], clients: int, seconds: float) -> Sample:
    """Each client asks over one kept connection until the time is over, at least once; the same thing, or one after the other."""
    following = repeat(request) if isinstance(request, Request) else request
    took: list[float] = []
    wrong: list[int] = []
    with Meter(cloud.state) as meter:
        started = time.perf_counter()
        until = started + seconds

        def client() -> None:
            connection = HTTPConnection(urlsplit(ENDPOINT).netloc, timeout=60)
            while True:
                request = next(following)
                asked = time.perf_counter()
                connection.request(
                    request.method, request.path, request.body, request.headers | {"content-type": "application/json"}
                )
                reply = connection.getresponse()
                reply.read()
                took.append(time.perf_counter() - asked)
                if reply.status != request.status:
                    wrong.append(reply.status)
                if time.perf_counter() > until or wrong:
                    return connection.close()

        threads = [threading.Thread(target=client) for _ in range(clients)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        wall = time.perf_counter() - started
    if wrong or len(took) < clients:
        wish = next(following)
        raise RuntimeError(f"{wish.method} {wish.path} answered {wrong[:1] or 'nothing'}")
    return Sample(len(took) / wall, 1000 * median(took), 1000 * meter.cpu / len(took), meter.others)


class Desk:
    """The admin, who makes servers of the fake hypervisor, each with a port."""

    def __init__(self, cloud: Installation) -> None:
        self.cloud = cloud
        network = self._call("POST", "/network/v2.0/networks", {"network": {"name": "bench"}})["network"]["id"]
        subnet = {"network_id": network, "ip_version": 4, "cidr": "10.100.0.0/16"}
        self._call("POST", "/network/v2.0/subnets", {"subnet": subnet})
        image = self._call("GET", "/image/v2/images?name=pico")["images"][0]["id"]
        self.wish = {"imageRef": image, "flavorRef": "42", "networks": [{"uuid": network}]}
        self.count = 0

    def _call(self, method: str, path: str, body: Any = None) -> Any:
        return self.cloud.call(method, path, body, user="admin")

    def _post(self, name: str, **more: Any) -> str:
        made: str = self._call("POST", "/compute/v2.1/servers", {"server": self.wish | {"name": name} | more})[
            "server"
        ]["id"]
        return made

    def fill(self, count: int) -> None:
        """Have that many ACTIVE servers, none in ERROR."""
        while self.count < count:
            more = min(BATCH, count - self.count)
            self._post("fill", min_count=more, max_count=more)
            self.count += more
        wait_for(f"{count} servers ACTIVE", lambda: self._active() >= count, FILLING, 0.5)

    def _active(self) -> int:
        assert not self._call("GET", "/compute/v2.1/servers?status=ERROR")["servers"], "a server is in ERROR"
        return len(self._call("GET", "/compute/v2.1/servers?status=ACTIVE")["servers"])

    def singles(self, runs: int) -> list[Figure]:
        accepted, active, cpu, others = [], [], [], []
        for _ in range(runs):
            with Meter(self.cloud.state) as meter:
                pairs = [self._single(f"single-{number}") for number in range(SINGLES)]
            accepted.append(1000 * median(first for first, _ in pairs))
            active.append(1000 * median(second for _, second in pairs))
            cpu.append(1000 * meter.cpu / SINGLES)
            others.append(meter.others)
        return [
            Figure(
                f"POST /servers accepted, {self.count:,} there", "ms", accepted, others, 20, "one client, with a port"
            ),
            Figure(
                f"POST /servers to ACTIVE, {self.count:,} there", "ms", active, others, None, "looked at every 10 ms"
            ),
            Figure(
                f"server made and deleted, {self.count:,} there, CPU of one", "ms", cpu, others, None, "with the asking"
            ),
        ]

    def _single(self, name: str) -> tuple[float, float]:
        started = time.perf_counter()
        server = self._post(name)
        accepted = time.perf_counter() - started
        path = f"/compute/v2.1/servers/{server}"

        def is_active() -> bool:
            return bool(self._call("GET", path)["server"]["status"] == "ACTIVE")

        wait_for("ACTIVE", is_active, 30, 0.01)
        active = time.perf_counter() - started
        self._call("DELETE", path)
        self.cloud.wait_gone(server, 30)
        return accepted, active
