"""Steps that take long: several at a time, their leases renewed, and nobody waits for them at the end."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest

from pileus.kernel import clock
from pileus.kernel.db import Database
from pileus.kernel.reconcile import Again, Done, Outcome, Reconciler
from tests.kernel.test_reconcile import Kite, add, change, db, engine, observe, seconds_left, see, two, until

assert db and two  # fixtures
LEASE = 0.6


class Long:
    """A step that lasts until a test lets it end."""

    def __init__(self, db: Database) -> None:
        self.db = db
        self.end = threading.Event()
        self.begun: list[str] = []
        self.running = 0
        self._lock = threading.Lock()

    def __call__(self, name: str) -> Outcome:
        with self._lock:
            self.begun.append(name)
            self.running += 1
        assert self.end.wait(20)
        observe(self.db, name)
        with self._lock:
            self.running -= 1
        return Done()


@pytest.fixture
def long(db: Database) -> Iterator[Long]:
    step = Long(db)
    yield step
    step.end.set()
    end = time.monotonic() + 5
    while step.running and time.monotonic() < end:
        time.sleep(0.01)


@asynccontextmanager
async def alive(*reconcilers: Reconciler) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(reconciler.run()) for reconciler in reconcilers]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def test_no_more_than_that_many_at_once(db: Database, long: Long) -> None:
    ids = [f"k{n}" for n in range(7)]
    add(db, *ids)

    async def live() -> None:
        async with alive(engine(db, long, parallel=3)):
            await until(lambda: long.running == 3)
            await asyncio.sleep(0.3)
            assert long.begun == ids[:3] or sorted(long.begun) == ids[:3]
            long.end.set()
            await until(lambda: all(see(db, name).retry_at is None for name in ids))

    asyncio.run(live())
    assert sorted(long.begun) == ids


@pytest.mark.parametrize("parallel", [1, 4])
def test_a_step_longer_than_its_lease_keeps_it(two: tuple[Database, Database], long: Long, parallel: int) -> None:
    add(two[0], "k")

    async def live() -> None:
        others: list[str] = []

        def steal(name: str) -> Outcome:
            others.append(name)
            return Again(60)

        async with alive(engine(two[0], long, lease_seconds=LEASE, parallel=parallel)):
            await until(lambda: long.begun == ["k"])
            token = see(two[0], "k").lease_token
            async with alive(engine(two[1], steal, lease_seconds=LEASE, parallel=parallel)):
                await asyncio.sleep(3 * LEASE)
                assert (long.begun, others) == (["k"], [])
                assert see(two[0], "k").lease_token == token
                long.end.set()
                await until(lambda: see(two[0], "k").retry_at is None)
        assert others == []

    asyncio.run(live())


def test_what_a_dead_worker_held_is_taken_over(two: tuple[Database, Database]) -> None:
    add(two[0], "k")
    dead = engine(two[0], lambda name: Done(), lease_seconds=LEASE)
    assert dead._claim("k") is not None  # and then it died
    worked: list[float] = []

    def step(name: str) -> Outcome:
        worked.append(time.monotonic())
        observe(two[1], name)
        return Done()

    async def live() -> None:
        began = time.monotonic()
        other = engine(two[1], step, parallel=2)
        other.interval = 30
        async with alive(other):
            await until(lambda: see(two[0], "k").retry_at is None)
        assert worked[0] - began >= LEASE * 0.8

    asyncio.run(live())
    assert len(worked) == 1


def test_who_lost_the_lease_does_not_get_it_back_by_renewing(two: tuple[Database, Database], long: Long) -> None:
    add(two[0], "k")
    later = clock.after(60)

    async def live() -> None:
        async with alive(engine(two[0], long, lease_seconds=LEASE, parallel=2)):
            await until(lambda: long.begun == ["k"])

            def stolen(kite: Kite) -> None:
                kite.lease_token = "another"
                kite.lease_until = later

            change(two[1], "k", stolen)
            await asyncio.sleep(LEASE)
            assert (see(two[1], "k").lease_token, see(two[1], "k").lease_until) == ("another", later)
            long.end.set()
            await until(lambda: long.running == 0)
            await asyncio.sleep(0.1)
            assert see(two[1], "k").lease_token == "another"

    asyncio.run(live())


def test_the_end_of_the_process_waits_for_no_step(db: Database, long: Long) -> None:
    add(db, "k")

    async def live() -> None:
        async with alive(engine(db, long, parallel=2)):
            await until(lambda: long.begun == ["k"])

    began = time.monotonic()
    asyncio.run(live())
    assert time.monotonic() - began < 3 and long.running == 1
    assert all(thread.daemon for thread in threading.enumerate() if thread.name == "kites k")


def test_a_poke_wakes_it_and_a_second_one_starts_nothing_twice(db: Database, long: Long) -> None:
    async def live() -> None:
        reconciler = engine(db, long, parallel=2)
        reconciler.interval = 30
        async with alive(reconciler):
            await asyncio.sleep(0.1)
            add(db, "k")
            for _ in range(2):
                reconciler.poke("k")
            await until(lambda: long.begun == ["k"])
            for _ in range(3):
                reconciler.poke("k")
                await asyncio.sleep(0.05)
            assert long.begun == ["k"]
            add(db, "next")  # there is room for one more, and nobody says so: a poke without a name is enough
            reconciler.poke()
            await until(lambda: long.begun == ["k", "next"])

    asyncio.run(live())


def test_room_that_gets_free_is_used_at_once(db: Database) -> None:
    ends = {name: threading.Event() for name in ("a", "b", "c")}
    begun: list[str] = []
    add(db, *ends)

    def step(name: str) -> Outcome:
        begun.append(name)
        assert ends[name].wait(10)
        observe(db, name)
        return Done()

    async def live() -> None:
        reconciler = engine(db, step, parallel=2)
        reconciler.interval = 30
        async with alive(reconciler):
            await until(lambda: sorted(begun) == ["a", "b"])
            ends["b"].set()
            await until(lambda: begun[2:] == ["c"])
            for end in ends.values():
                end.set()
            await until(lambda: all(see(db, name).retry_at is None for name in ends))

    asyncio.run(live())


def test_a_step_that_crashes_takes_no_room_for_ever(db: Database, caplog: pytest.LogCaptureFixture) -> None:
    add(db, "bad", "good")
    worked: list[str] = []

    def step(name: str) -> Outcome:
        worked.append(name)
        if name == "bad":
            raise RuntimeError("broken thing")
        observe(db, name)
        return Done()

    async def live() -> None:
        async with alive(engine(db, step, parallel=1)):
            await until(lambda: worked == ["bad", "good"] and see(db, "good").retry_at is None)

    asyncio.run(live())
    assert "broken thing" in caplog.text and see(db, "bad").attempts == 1
    assert 1 < seconds_left(see(db, "bad").retry_at) <= 2
