"""Placement and the scheduler by the number of hosts: candidates, claims, a full cloud, refusals; on SQLite and on MariaDB.

The hosts are rows: nothing runs on them. All is done in the benchmark's process, claims as the API makes them, candidates over HTTP;
its CPU and MariaDB's are counted. Tokens are not looked up: `identity` measures that.
"""

import itertools
import json
import shutil
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import timedelta
from http.client import HTTPConnection
from pathlib import Path
from statistics import median

import uvicorn
from sqlalchemy import insert
from tests import mariadb
from tests.cloud import Tokens, cloud_of

from bench.clouds import folder
from bench.figures import Figure
from bench.machine import Cost
from pileus.composition import SERVICES
from pileus.compute.hosts.models import Host
from pileus.compute.scheduler.choose import NoValidHost, choose_and_claim, explain
from pileus.compute.scheduler.request import Request as Wish
from pileus.compute.scheduler.verdicts import summarise
from pileus.compute.settings import ComputeSettings
from pileus.kernel import clock
from pileus.kernel.cloud import Cloud
from pileus.kernel.context import Authenticator
from pileus.kernel.db import new_id
from pileus.kernel.http.app import App
from pileus.placement import audit
from pileus.placement.providers.models import Inventory, Provider, ProviderTrait

BY_NAME = {service.name: service for service in SERVICES}
COUNTS = (1_000, 10_000)
SIZES = {"VCPU": 36, "MEMORY_MB": 73_728, "DISK_GB": 700}  # of a host: the servers below take about nine tenths
TRAITS = (
    "COMPUTE_NODE",
    *(f"HW_CPU_X86_{name}" for name in ("SSE", "SSE2", "SSE41", "SSE42", "AVX", "AVX2", "BMI", "BMI2")),
)
FLAVORS = ((1, 512, 1), (1, 2_048, 20), (2, 4_096, 40), (4, 8_192, 80), (8, 16_384, 160))
CROWD = 64
CONNECTIONS = 15  # that a process has to MariaDB: as many can claim at once
SERVERS = 10_000
FILLING = 240.0  # seconds that they may take
CLAIMS = 100  # of a run; as many requests
QUERY = "/placement/allocation_candidates?limit=10&resources=VCPU:2,MEMORY_MB:4096,DISK_GB:40"
KNOWN = {"x-auth-token": "ops:admin", "openstack-api-version": "placement 1.39"}


def measure(runs: int) -> list[Figure]:
    figures = _on("SQLite", runs)
    return figures + (_on("MariaDB", runs) if shutil.which("mariadbd") else [])


def _on(name: str, runs: int) -> list[Figure]:
    figures = []
    with _cloud(maria=name == "MariaDB") as (cloud, state, connection):
        region = Region(cloud, state, connection)
        for count in COUNTS:
            region.grow(count)
            figures += [
                region.candidates(runs),
                region.claims(runs, 1),
                region.claims(runs, region.crowd),
                *([region.fill()] if count == COUNTS[0] else []),
                region.refusals(runs),
            ]
    return [replace(figure, name=f"{figure.name}; {name}") for figure in figures]


@contextmanager
def _cloud(*, maria: bool) -> Iterator[tuple[Cloud, Path, HTTPConnection]]:
    """Compute and placement in this process, the folder that Meter knows MariaDB by, and a connection to placement's API."""
    with ExitStack() as stack:
        state = stack.enter_context(folder()) / "state"
        state.mkdir()
        database = {"database": stack.enter_context(mariadb.running(state))} if maria else {}
        service = replace(BY_NAME["placement"], setup=lambda cloud: cloud.add(Tokens(), Authenticator))
        cloud = stack.enter_context(cloud_of(state, BY_NAME["compute"], service, overrides=database))
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        server = uvicorn.Server(uvicorn.Config(App(cloud, [service]), log_level="warning", lifespan="off"))
        thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
        thread.start()
        try:
            yield cloud, state, HTTPConnection("127.0.0.1", listener.getsockname()[1], timeout=60)
        finally:
            server.should_exit = True
            thread.join(10)


class Region:
    """Hosts `sim-0`, … and who has claimed of them."""

    def __init__(self, cloud: Cloud, state: Path, connection: HTTPConnection) -> None:
        self.db, self.settings = cloud.db, cloud.settings(ComputeSettings)
        self.state, self.connection = state, connection
        self.crowd = CROWD if cloud.db.is_sqlite else CONNECTIONS
        self.count = 0
        self.placed: set[str] = set()
        self._flavors = itertools.cycle(FLAVORS)

    def grow(self, count: int) -> None:
        """Have that many hosts, as their agents would leave them."""
        seen = clock.now() + timedelta(hours=1)
        sizes = {"vcpus": SIZES["VCPU"], "memory_mb": SIZES["MEMORY_MB"], "disk_gb": SIZES["DISK_GB"]}
        facts = {"hypervisor_type": "fake", "hypervisor_version": 1, "cpu_info": {}, "notes": [], "seen_at": seen}
        names = {new_id(): f"sim-{number}" for number in range(self.count, count)}
        with self.db.writing() as db:
            db.execute(insert(Host), [{"id": key, "name": name, **sizes, **facts} for key, name in names.items()])
            db.execute(insert(Provider), [{"id": key, "name": name, "root_id": key} for key, name in names.items()])
            stock = [
                {"provider_id": key, "resource_class": name, "total": total, "max_unit": total}
                for key in names
                for name, total in SIZES.items()
            ]
            db.execute(insert(Inventory), stock)
            db.execute(insert(ProviderTrait), [{"provider_id": key, "trait": t} for key in names for t in TRAITS])
        self.count = count

    def candidates(self, runs: int) -> Figure:
        cpu, others, took = [], [], []
        self.connection.close()  # idle for long: opened again by the first question
        for _ in range(runs):
            self._ask()  # warm
            with Cost(self.state) as cost:
                for _ in range(CLAIMS):
                    self._ask()
            cpu.append(1000 * cost.cpu / CLAIMS)
            took.append(1000 * cost.wall / CLAIMS)
            others.append(cost.others)
        aim = 5.0 if self.count == COUNTS[0] else None
        note = f"{median(took):.1f} ms each, the client's CPU included" + ("; upstream about 107 ms" if aim else "")
        return Figure(f"GET 10 candidates, {self.count:,} hosts", "ms CPU", cpu, others, aim, note)

    def _ask(self) -> None:
        self.connection.request("GET", QUERY, headers=KNOWN)
        reply = self.connection.getresponse()
        found = json.loads(reply.read())
        assert len(found["allocation_requests"]) == 10, f"{reply.status}: {found}"

    def claims(self, runs: int, workers: int) -> Figure:
        cpu, rates, others = [], [], []
        for _ in range(runs):
            with Cost(self.state) as cost, ThreadPoolExecutor(workers) as pool:
                hosts = list(pool.map(lambda _: self.claim(), range(CLAIMS)))
            if None in hosts:
                raise RuntimeError("a claim was refused where there was room")
            cpu.append(1000 * cost.cpu / CLAIMS)
            rates.append(CLAIMS / cost.wall)
            others.append(cost.others)
        crowd = "one worker" if workers == 1 else f"{workers} at once"
        note = f"{median(rates):.0f} claims/s"
        return Figure(f"claim, {crowd}, {self.count:,} hosts", "ms CPU", cpu, others, 5.0, note)

    def claim(self) -> str | None:
        vcpus, memory, disk = next(self._flavors)
        wish = Wish({"VCPU": vcpus, "MEMORY_MB": memory, "DISK_GB": disk}, {}, {})
        server = new_id()
        try:
            host = self.db.transact(lambda db: choose_and_claim(db, self.settings, wish, server, "bench", "bench").name)
        except NoValidHost:
            return None
        self.placed.add(server)
        return host

    def fill(self) -> Figure:
        """Place servers until there are SERVERS, or the time is over; then nothing may be given twice, nor to nobody."""
        until = time.monotonic() + FILLING
        before = len(self.placed)

        def work(_: int) -> int:
            refused = 0
            while len(self.placed) < SERVERS and time.monotonic() < until:
                refused += self.claim() is None
            return refused

        with Cost(self.state) as cost, ThreadPoolExecutor(self.crowd) as pool:
            refused = sum(pool.map(work, range(self.crowd)))
        self.check()
        more = len(self.placed) - before
        rate = f"{more / cost.wall:.0f} claims/s ({cost.wall:.0f} s)"
        note = f"{len(self.placed):,} placed, {refused} refused, {rate}; no host above its capacity, no orphan"
        return Figure(
            f"claim, {self.crowd} at once, filling {self.count:,} hosts",
            "ms CPU",
            [1000 * cost.cpu / more],
            [cost.others],
            5.0,
            note,
        )

    def check(self) -> None:
        with self.db.reading() as db:
            found = [*audit.overfull(db), *audit.unowned(db), *audit.orphans(db, self.placed)]
            assert not found, f"{len(found)} findings: {found[:3]}"
            assert audit.holders(db) == self.placed, "a server without its claim"

    def refusals(self, runs: int) -> Figure:
        wish = Wish({"VCPU": SIZES["VCPU"] + 1}, {}, {})
        cpu, others, said = [], [], ""
        for _ in range(runs):
            with Cost(self.state) as cost, self.db.reading() as db:
                said = summarise(explain(db, self.settings, wish))
            cpu.append(1000 * cost.cpu)
            others.append(cost.others)
        return Figure(
            f"refusal explained, {self.count:,} hosts",
            "ms CPU",
            cpu,
            others,
            None,
            said.removeprefix("No valid host was found. "),
        )
