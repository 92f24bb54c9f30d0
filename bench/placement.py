"""Placement and the scheduler by the number of hosts: candidates, claims, a full cloud, refusals; on SQLite and on MariaDB.

The hosts are rows: nothing runs on them. The cloud answers over HTTP; claims are made as the API makes them, in the benchmark's process.
CPU is that of the cloud, of the benchmark where it does the work itself, and of MariaDB.
"""

import itertools
import json
import shutil
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import timedelta

from sqlalchemy import func, insert, select
from tests import mariadb
from tests.system.installation import Installation

from bench.clouds import folder, last_words
from bench.figures import Figure
from bench.machine import Meter
from bench.operations import Request, drive
from pileus.compute.hosts.models import Host
from pileus.compute.scheduler.choose import NoValidHost, choose_and_claim, explain, summarise
from pileus.compute.scheduler.request import Request as Wish
from pileus.compute.settings import ComputeSettings
from pileus.kernel import clock
from pileus.kernel.db import Database, new_id
from pileus.placement import internal
from pileus.placement.allocations.models import Allocation
from pileus.placement.providers.models import Inventory, Provider, ProviderTrait

COUNTS = (1_000, 10_000)
SIZES = {"VCPU": 36, "MEMORY_MB": 73_728, "DISK_GB": 700}  # of a host: the servers below take about nine tenths
TRAITS = (
    "COMPUTE_NODE",
    *(f"HW_CPU_X86_{name}" for name in ("SSE", "SSE2", "SSE41", "SSE42", "AVX", "AVX2", "BMI", "BMI2")),
)
FLAVORS = ((1, 512, 1), (1, 2_048, 20), (2, 4_096, 40), (4, 8_192, 80), (8, 16_384, 160))
CROWD = 64
SERVERS = 10_000
FILLING = 75.0  # seconds that they may take
CLAIMS = 100  # of a run
SECONDS = 1.0  # of a run of requests
QUERY = "/placement/allocation_candidates?limit=10&resources=VCPU:2,MEMORY_MB:4096,DISK_GB:40"


def measure(runs: int) -> list[Figure]:
    figures = _on("SQLite", runs)
    return figures + (_on("MariaDB", runs) if shutil.which("mariadbd") else [])


def _on(name: str, runs: int) -> list[Figure]:
    figures = []
    with _cloud(maria=name == "MariaDB") as (cloud, database):
        region = Region(cloud, database)
        for count in COUNTS:
            region.grow(count)
            figures += [
                region.candidates(runs),
                region.claims(runs, 1),
                region.claims(runs, CROWD),
                *([region.fill()] if count == COUNTS[0] else []),
                region.refusals(runs),
            ]
    return [replace(figure, name=f"{figure.name}; {name}") for figure in figures]


@contextmanager
def _cloud(*, maria: bool) -> Iterator[tuple[Installation, Database]]:
    """A cloud of fakes and its database. MariaDB's folder begins like the cloud's, so that its CPU counts as the cloud's."""
    with ExitStack() as stack:
        made = stack.enter_context(folder())
        running = Installation(made / "state")
        url = f"sqlite:///{running.state}/db/pileus.sqlite"
        config = made / "pileus.toml"
        if maria:
            place = made / "state.mariadb"
            place.mkdir()
            url = stack.enter_context(mariadb.running(place))
        config.write_text(f"[cloud]\ndatabase = {json.dumps(url)}\n" if maria else "")
        config.chmod(0o644)
        stack.callback(running.pileus, "down", "--all", check=False)
        try:
            running.pileus("up", "--detach", "--fake", "--config", str(config))
        except AssertionError as error:
            raise RuntimeError(f"{error}\n{last_words(running.state)}") from None
        database = Database(url)
        stack.callback(database.close)
        yield running, database


class Region:
    """Hosts `sim-0`, … and who has claimed of them."""

    def __init__(self, cloud: Installation, database: Database) -> None:
        self.cloud, self.db = cloud, database
        self.settings = ComputeSettings()
        self.count = 0
        self.placed: set[str] = set()
        self._flavors = itertools.cycle(FLAVORS)
        with self.db.reading() as db:
            self.others = set(db.scalars(select(Allocation.consumer_id)))

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
        known = {"x-auth-token": self.cloud.token("admin"), "openstack-api-version": "placement 1.39"}
        request = Request("GET", QUERY, known)
        drive(self.cloud, request, 1, 0.3)  # warm
        samples = [drive(self.cloud, request, 1, SECONDS) for _ in range(runs)]
        cpu, others = [sample.cpu for sample in samples], [sample.others for sample in samples]
        took = sorted(sample.took for sample in samples)[runs // 2]
        aim = 5.0 if self.count == COUNTS[0] else None
        note = f"median of a request {took:.1f} ms" + ("; upstream 107 ms" if aim else "")
        return Figure(f"10 candidates, {self.count:,} hosts", "ms CPU", cpu, others, aim, note)

    def claims(self, runs: int, workers: int) -> Figure:
        cpu, rates, others = [], [], []
        for _ in range(runs):
            with Cost(self.cloud) as cost, ThreadPoolExecutor(workers) as pool:
                hosts = list(pool.map(lambda _: self.claim(), range(CLAIMS)))
            if None in hosts:
                raise RuntimeError("a claim was refused where there was room")
            cpu.append(1000 * cost.cpu / CLAIMS)
            rates.append(CLAIMS / cost.wall)
            others.append(cost.others)
        crowd = "one worker" if workers == 1 else f"{workers} at once"
        note = f"{sorted(rates)[runs // 2]:.0f} claims/s"
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

        with Cost(self.cloud) as cost, ThreadPoolExecutor(CROWD) as pool:
            refused = sum(pool.map(work, range(CROWD)))
        self.check()
        more = len(self.placed) - before
        note = f"{len(self.placed):,} placed, {refused} refused, {more / cost.wall:.0f} claims/s; no host above its capacity, no orphan"
        return Figure(
            f"claim, {CROWD} at once, filling {self.count:,} hosts",
            "ms CPU",
            [1000 * cost.cpu / more],
            [cost.others],
            5.0,
            note,
        )

    def check(self) -> None:
        taken = func.sum(Allocation.used)
        capacity = (Inventory.total - Inventory.reserved) * Inventory.allocation_ratio
        mine = (Allocation.provider_id == Inventory.provider_id, Allocation.resource_class == Inventory.resource_class)
        with self.db.reading() as db:
            over = select(Inventory.provider_id, Inventory.resource_class, capacity, taken).join(
                Allocation, mine[0] & mine[1]
            )
            over = over.group_by(Inventory.provider_id, Inventory.resource_class, capacity)
            found = db.execute(over.having(taken > capacity)).all()
            assert not found, f"more was given than there is: {found[:3]}"
            assert internal.orphans(db, self.placed | self.others) == []
            held = set(db.scalars(select(Allocation.consumer_id).distinct()))
            assert held == self.placed | self.others, "a server without its claim"

    def refusals(self, runs: int) -> Figure:
        wish = Wish({"VCPU": SIZES["VCPU"] + 1}, {}, {})
        cpu, others, said = [], [], ""
        for _ in range(runs):
            with Cost(self.cloud) as cost, self.db.reading() as db:
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


class Cost:
    """Of a `with` block: `wall` and `cpu` in seconds, this process' included; `others` as Meter has it."""

    def __init__(self, cloud: Installation) -> None:
        self._meter = Meter(cloud.state)

    def __enter__(self) -> "Cost":
        self._meter.__enter__()
        self._own, self._started = time.process_time(), time.monotonic()
        return self

    def __exit__(self, *raised: object) -> None:
        self.wall, own = time.monotonic() - self._started, time.process_time() - self._own
        self._meter.__exit__(None, None, None)
        self.cpu, self.others = own + self._meter.cpu, self._meter.others
