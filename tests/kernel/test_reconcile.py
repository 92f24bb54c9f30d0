"""The engine: who may work on a row, when, and what becomes of news that come in the middle."""

import asyncio
import math
import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import String
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Mapped, mapped_column

from pileus.kernel import clock
from pileus.kernel.db import Base, Database
from pileus.kernel.reconcile import Again, Converging, Done, Outcome, Reconciler, backoff


class Kite(Converging, Base):
    __tablename__ = "kites"
    id: Mapped[str] = mapped_column(String(36), primary_key=True)


@pytest.fixture
def two(tmp_path: Path) -> Iterator[tuple[Database, Database]]:
    """Two processes' views of one file."""
    url = f"sqlite:///{tmp_path / 'kites.sqlite'}"
    first, second = Database(url), Database(url)
    Base.metadata.create_all(first.engine, tables=[Base.metadata.tables["kites"]])
    yield first, second
    first.close()
    second.close()


@pytest.fixture
def db(two: tuple[Database, Database]) -> Database:
    return two[0]


def add(db: Database, *ids: str, due: float = -1) -> None:
    with db.writing() as session:
        session.add_all(Kite(id=name, retry_at=clock.after(due + n / 1000)) for n, name in enumerate(ids))


def see(db: Database, name: str) -> Kite:
    with db.reading() as session:
        return session.get_one(Kite, name)


def change(db: Database, name: str, change: Callable[[Kite], None]) -> None:
    with db.writing() as session:
        change(session.get_one(Kite, name))


def observe(db: Database, name: str) -> None:
    """What a step does that made the wanted state true."""

    def seen(kite: Kite) -> None:
        kite.observed_generation = kite.generation

    change(db, name, seen)


def engine(
    db: Database, step: Callable[[str], Outcome], lease_seconds: float = 60, batch: int = 50, parallel: int = 0
) -> Reconciler:
    return Reconciler(
        "kites", Kite, step, db, lease_seconds=lease_seconds, interval=0.1, batch=batch, parallel=parallel
    )


def seconds_left(when: datetime | None) -> float:
    assert when is not None
    return (when - clock.now()).total_seconds()


def test_two_reconcilers_never_work_on_one_row_at_once(two: tuple[Database, Database]) -> None:
    ids = [f"k{n}" for n in range(8)]
    add(two[0], *ids)
    busy: dict[str, int] = dict.fromkeys(ids, 0)
    runs: dict[str, int] = dict.fromkeys(ids, 0)
    clashes: list[str] = []
    guard = threading.Lock()

    def step_in(db: Database) -> Callable[[str], Outcome]:
        def step(name: str) -> Outcome:
            with guard:
                busy[name] += 1
                runs[name] += 1
                if busy[name] > 1:
                    clashes.append(name)
            time.sleep(0.003)
            with guard:
                busy[name] -= 1
            if runs[name] < 4:
                return Again(0)
            observe(db, name)
            return Done()

        return step

    def work(db: Database) -> None:
        reconciler = engine(db, step_in(db))
        deadline = time.monotonic() + 20
        while any(see(db, name).retry_at is not None for name in ids) and time.monotonic() < deadline:
            reconciler.round(list(ids))

    threads = [threading.Thread(target=work, args=(db,)) for db in two]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert clashes == []
    assert runs == dict.fromkeys(ids, 4)


def test_what_a_killed_holder_held_is_free_when_the_lease_ends(two: tuple[Database, Database]) -> None:
    add(two[0], "k")
    worked: list[str] = []

    class Killed(BaseException):
        pass

    def killed(name: str) -> Outcome:
        raise Killed

    def step(name: str) -> Outcome:
        worked.append(name)
        observe(two[1], name)
        return Done()

    with pytest.raises(Killed):
        engine(two[0], killed, lease_seconds=0.15).round()
    other = engine(two[1], step)
    assert other.round(["k"]) == 0
    assert 0 < other._pause() <= 0.15
    time.sleep(0.16)
    assert other.round() == 1
    assert worked == ["k"]
    assert see(two[0], "k").retry_at is None


def test_the_outcome_under_a_lost_lease_is_dropped(two: tuple[Database, Database]) -> None:
    """The first holder is slower than its lease; what the second found out is not overwritten."""
    add(two[0], "k")

    def second(name: str) -> Outcome:
        return Again(500)

    def slow(name: str) -> Outcome:
        time.sleep(0.03)
        assert engine(two[1], second).round() == 1
        observe(two[0], name)
        return Done()

    engine(two[0], slow, lease_seconds=0.02).round()
    assert 490 < seconds_left(see(two[0], "k").retry_at) <= 500


def test_the_holder_of_a_lost_lease_does_not_end_the_next_ones(two: tuple[Database, Database]) -> None:
    add(two[0], "k")
    tokens: list[str | None] = []

    def second(name: str) -> Outcome:
        first_ends.set()
        assert first_ended.wait(5)
        tokens.append(see(two[1], name).lease_token)
        return Again(1)

    def first(name: str) -> Outcome:
        time.sleep(0.03)
        other.start()
        assert first_ends.wait(5)
        return Again(1)

    first_ends, first_ended = threading.Event(), threading.Event()
    other = threading.Thread(target=lambda: engine(two[1], second).round())
    engine(two[0], first, lease_seconds=0.02).round()
    first_ended.set()
    other.join()
    assert len(tokens) == 1 and tokens[0] is not None
    assert see(two[0], "k").lease_token is None


@pytest.mark.parametrize("outcome", [Done(), Again(60), Again(backoff=True)], ids=str)
@pytest.mark.parametrize("observed", [False, True])
def test_a_row_touched_in_the_middle_of_a_step_is_due_at_once(
    two: tuple[Database, Database], outcome: Outcome, observed: bool
) -> None:
    add(two[0], "k")

    def step(name: str) -> Outcome:
        if observed:
            observe(two[0], name)
        change(two[1], name, Kite.touch)
        return outcome

    reconciler = engine(two[0], step)
    assert reconciler.round() == 1
    kite = see(two[0], "k")
    assert seconds_left(kite.retry_at) <= 0
    assert (kite.generation, kite.attempts, kite.lease_token) == (2, 0, None)
    assert reconciler.round() == 1


@pytest.mark.parametrize("outcome", [Done(), Again(60)], ids=str)
def test_news_without_a_new_wish_in_the_middle_of_a_step_are_not_lost(
    two: tuple[Database, Database], outcome: Outcome
) -> None:
    """A host's report makes the row due, and leaves its generation alone."""
    add(two[0], "k")

    def news(kite: Kite) -> None:
        kite.retry_at = clock.now()

    def step(name: str) -> Outcome:
        observe(two[0], name)
        change(two[1], name, news)
        return outcome

    reconciler = engine(two[0], step)
    reconciler.round()
    assert seconds_left(see(two[0], "k").retry_at) <= 0
    assert reconciler.round() == 1


def test_done_rests_until_touched(db: Database) -> None:
    add(db, "k")

    def step(name: str) -> Outcome:
        observe(db, name)
        return Done()

    reconciler = engine(db, step)
    assert [reconciler.round(), reconciler.round(["k"])] == [1, 0]
    assert see(db, "k").retry_at is None
    change(db, "k", Kite.touch)
    assert reconciler.round() == 1


def test_done_before_the_wish_is_true_stays_due(db: Database) -> None:
    add(db, "k")
    reconciler = engine(db, lambda name: Done())
    assert [reconciler.round(), reconciler.round()] == [1, 1]


def test_a_row_may_be_gone_after_its_step(db: Database) -> None:
    add(db, "k")

    def step(name: str) -> Outcome:
        with db.writing() as session:
            session.delete(session.get_one(Kite, name))
        return Done()

    reconciler = engine(db, step)
    assert [reconciler.round(), reconciler.round()] == [1, 0]


def test_again_waits_its_seconds_and_counts_nothing(db: Database) -> None:
    add(db, "k")
    engine(db, lambda name: Again(7)).round()
    kite = see(db, "k")
    assert 6 < seconds_left(kite.retry_at) <= 7
    assert kite.attempts == 0


def test_a_step_that_crashes_backs_off_further_each_time(db: Database, caplog: pytest.LogCaptureFixture) -> None:
    add(db, "bad", "good")
    worked: list[str] = []

    def step(name: str) -> Outcome:
        worked.append(name)
        if name == "bad":
            raise RuntimeError("broken thing")
        observe(db, name)
        return Done()

    reconciler = engine(db, step)
    waits = []
    for _ in range(3):
        reconciler.round()
        waits.append(seconds_left(see(db, "bad").retry_at))
        change(db, "bad", lambda kite: setattr(kite, "retry_at", clock.now()))
    assert [math.ceil(wait) for wait in waits] == [2, 4, 8]
    assert worked == ["bad", "good", "bad", "bad"]
    assert see(db, "bad").attempts == 3
    assert "broken thing" in caplog.text
    change(db, "bad", Kite.touch)
    assert see(db, "bad").attempts == 0


def test_backoff_has_an_end() -> None:
    assert [backoff(n) for n in (0, 1, 5, 6, 7, 10_000)] == [1, 2, 32, 60, 60, 60]


def test_the_longest_due_first_and_no_more_than_a_batch(db: Database) -> None:
    add(db, "a-late", due=-1)
    add(db, "z-early", due=-50)
    add(db, "future", due=50)
    add(db, *[f"k{n}" for n in range(5)], due=-20)
    worked: list[str] = []

    def step(name: str) -> Outcome:
        worked.append(name)
        return Again(30)

    reconciler = engine(db, step, batch=4)
    assert reconciler.round() == 4
    assert worked == ["z-early", "k0", "k1", "k2"]
    assert reconciler.round() == 4 - 1
    assert worked[4:] == ["k3", "k4", "a-late"]
    assert reconciler.round(["future"]) == 0


def test_a_poked_row_goes_first_once_and_an_unknown_one_harms_nothing(db: Database) -> None:
    add(db, "a", "b", "c")
    worked: list[str] = []

    def step(name: str) -> Outcome:
        worked.append(name)
        return Again(30)

    assert engine(db, step).round(["c", "no-such-row", "c"]) == 3
    assert worked == ["c", "a", "b"]


async def until(look: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not look():
            await asyncio.sleep(0.005)


def test_running_takes_pokes_timers_and_a_database_that_was_away(
    db: Database, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    worked: list[str] = []

    def step(name: str) -> Outcome:
        worked.append(name)
        observe(db, name)
        return Done()

    def away() -> None:
        raise OperationalError("SELECT", {}, Exception("gone away"))

    async def live() -> None:
        reconciler = engine(db, step)
        reconciler.interval = 30
        task = asyncio.create_task(reconciler.run())
        reconciler.poke("no-such-row")
        await asyncio.sleep(0.05)
        add(db, "poked")
        reconciler.poke("poked")
        await until(lambda: worked == ["poked"])
        add(db, "soon", due=0.1)
        reconciler.poke()
        await until(lambda: worked == ["poked", "soon"])
        with monkeypatch.context() as broken:
            broken.setattr(db, "reading", away)
            reconciler.poke()
            await until(lambda: "gone away" in caplog.text)
        assert not task.done()
        add(db, "after")
        reconciler.poke("after")
        await until(lambda: worked == ["poked", "soon", "after"])
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(live())


def test_waiting_for_a_row_that_another_holds_does_not_spin(two: tuple[Database, Database]) -> None:
    add(two[0], "k")
    pauses: list[float] = []

    def step(name: str) -> Outcome:
        other = engine(two[1], step)
        other.interval = 30
        pauses.append(other._pause())
        return Again(30)

    engine(two[0], step, lease_seconds=9).round()
    assert 8 < pauses[0] <= 9
