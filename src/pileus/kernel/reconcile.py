"""The engine that converges rows: poke or timer → claim → read → one step → apply → again.

A table that converges mixes in `Converging`. `Reconciler` runs one kind: it claims a due row by compare-and-swap on its lease,
runs `step` outside any transaction and writes the outcome only while the lease still holds. Any number of processes may run the same
reconciler; a killed one costs at most a lease.
"""

import asyncio
import contextlib
import logging
import threading
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Index, String, func, or_, select, update
from sqlalchemy.orm import Mapped, Session, declared_attr, mapped_column

from pileus.kernel import clock
from pileus.kernel.db import Database

log = logging.getLogger(__name__)


class Converging:
    """Columns of a table whose rows are made true by a reconciler. `retry_at` None: nothing to do."""

    id: Mapped[str]
    generation: Mapped[int] = mapped_column(default=1)  # rises with each change of the wanted state
    observed_generation: Mapped[int] = mapped_column(default=0)  # the generation that is true already
    retry_at: Mapped[datetime | None] = mapped_column(default=clock.now)  # when to look at the row again
    attempts: Mapped[int] = mapped_column(default=0)
    lease_token: Mapped[str | None] = mapped_column(String(36))
    lease_until: Mapped[datetime | None]

    @declared_attr.directive
    def __table_args__(cls) -> tuple[Any, ...]:
        return (Index(None, "retry_at"),)

    def touch(self) -> None:
        """The wanted state changed: look at it now."""
        self.generation += 1
        self.retry_at = clock.now()
        self.attempts = 0


@dataclass(frozen=True)
class Done:
    """Nothing more to do until somebody touches the row. The row may be gone."""


@dataclass(frozen=True)
class Again:
    """Look again in `seconds`; `backoff` counts it as a failed attempt and stretches the time."""

    seconds: float = 1.0
    backoff: bool = False
    why: str = ""


@dataclass(frozen=True)
class Lease:
    """A claimed row, and the `retry_at` that it was claimed with: another value later means that there is news."""

    token: str
    due: datetime | None


Outcome = Done | Again
Step = Callable[[str], Outcome]


def backoff(attempts: int) -> float:
    return float(min(60, 2 ** min(attempts, 6)))


@dataclass
class Reconciler:
    """`step(id)` reads the row, takes one step towards what is wanted and says what next. It opens its own transactions.

    `parallel` is for steps that take minutes: so many at a time, each in a thread of its own that nobody waits for at the end,
    and with a lease that is renewed while it runs. 0: steps are short, one after the other.
    """

    name: str
    model: type[Any]
    step: Step
    db: Database
    lease_seconds: float = 60
    interval: float = 5
    batch: int = 50
    parallel: int = 0
    _wake: asyncio.Event = field(default_factory=asyncio.Event)
    _urgent: set[str] = field(default_factory=set)
    _busy: set[str] = field(default_factory=set)

    def poke(self, row_id: str | None = None) -> None:
        if row_id is not None:
            self._urgent.add(row_id)
        self._wake.set()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            self._wake.clear()
            try:
                urgent, self._urgent = list(self._urgent), set()
                if self.parallel:
                    await self._start(urgent)
                elif await asyncio.to_thread(self.round, urgent):
                    continue
                pause = await asyncio.to_thread(self._pause)
            except Exception:  # the database is away, for one
                log.exception("reconciler %s", self.name)
                pause = self.interval
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._wake.wait()

    async def _start(self, urgent: list[str]) -> None:
        """Begin work on rows that are due, as far as there is room. Nobody waits for the threads when the process ends."""
        loop = asyncio.get_running_loop()
        due = [row_id for row_id in await asyncio.to_thread(self.due, urgent) if row_id not in self._busy]
        for row_id in due[: self.parallel - len(self._busy)]:
            self._busy.add(row_id)
            threading.Thread(
                target=self._work_apart, args=(row_id, loop), name=f"{self.name} {row_id}", daemon=True
            ).start()

    def _work_apart(self, row_id: str, loop: asyncio.AbstractEventLoop) -> None:
        try:
            self.work(row_id)
        except Exception:
            log.exception("%s %s", self.name, row_id)
        finally:
            with contextlib.suppress(RuntimeError):  # the loop has ended
                loop.call_soon_threadsafe(self._ended, row_id)

    def _ended(self, row_id: str) -> None:
        self._busy.discard(row_id)
        self._wake.set()

    def _pause(self) -> float:
        """Seconds until the next row is due and free, at most `interval`."""
        if self.parallel and len(self._busy) >= self.parallel:
            return self.interval
        model, now = self.model, clock.now()
        with self.db.reading() as db:
            due = db.scalar(
                select(func.min(model.retry_at)).where(or_(model.lease_until.is_(None), model.lease_until < now))
            )
            free = db.scalar(select(func.min(model.lease_until)).where(model.retry_at <= now, model.lease_until >= now))
        waits: list[float] = [(when - now).total_seconds() for when in (due, free) if when is not None]
        return float(max(0.02, min([self.interval, *waits])))

    def round(self, urgent: list[str] | None = None) -> int:
        """Work on every row that is due; how many there were."""
        return sum(self.work(row_id) for row_id in self.due(urgent or []))

    def due(self, urgent: list[str]) -> list[str]:
        """Ids of rows to look at now: first those that somebody pointed at."""
        now = clock.now()
        with self.db.reading() as db:
            free = or_(self.model.lease_until.is_(None), self.model.lease_until < now)
            due = (
                select(self.model.id)
                .where(self.model.retry_at <= now, free)
                .order_by(self.model.retry_at)
                .limit(self.batch)
            )
            return list(dict.fromkeys([*urgent, *db.scalars(due)]))

    def work(self, row_id: str) -> bool:
        lease = self._claim(row_id)
        if lease is None:
            return False
        try:
            with self._kept(row_id, lease):
                outcome = self.step(row_id)
        except Exception as error:
            log.exception("%s %s", self.name, row_id)
            outcome = Again(backoff=True, why=str(error))
        self._settle(row_id, lease, outcome)
        return True

    @contextlib.contextmanager
    def _kept(self, row_id: str, lease: Lease) -> Iterator[None]:
        """The lease is renewed while the block runs, where steps may take long."""
        if not self.parallel:
            yield
            return
        ended = threading.Event()
        keeper = threading.Thread(target=self._renew, args=(row_id, lease, ended), daemon=True)
        keeper.start()
        try:
            yield
        finally:
            ended.set()
            keeper.join()

    def _renew(self, row_id: str, lease: Lease, ended: threading.Event) -> None:
        mine = update(self.model).where(self.model.id == row_id, self.model.lease_token == lease.token)
        while not ended.wait(self.lease_seconds / 3):
            try:
                with self.db.writing() as db:
                    db.execute(mine.values(lease_until=clock.after(self.lease_seconds)))
            except Exception:
                log.exception("the lease of %s %s was not renewed", self.name, row_id)

    def _claim(self, row_id: str) -> Lease | None:
        token, now = str(uuid.uuid4()), clock.now()
        claim = (
            update(self.model)
            .where(
                self.model.id == row_id,
                self.model.retry_at <= now,
                or_(self.model.lease_until.is_(None), self.model.lease_until < now),
            )
            .values(lease_token=token, lease_until=clock.after(self.lease_seconds))
        )

        def take(db: Session) -> Lease | None:
            if not _rowcount(db.execute(claim)):
                return None
            return Lease(token, db.scalar(select(self.model.retry_at).where(self.model.id == row_id)))

        return self.db.transact(take)

    def _settle(self, row_id: str, lease: Lease, outcome: Outcome) -> None:
        """Give the lease back. A row that somebody made due meanwhile stays due; a lost lease changes nothing."""

        def give_back(db: Session) -> None:
            row = db.get(self.model, row_id, with_for_update=True)
            if row is None or row.lease_token != lease.token:
                return
            row.lease_token = row.lease_until = None
            if row.retry_at != lease.due:
                return
            if isinstance(outcome, Again):
                row.attempts = row.attempts + 1 if outcome.backoff else row.attempts
                row.retry_at = clock.after(backoff(row.attempts) if outcome.backoff else outcome.seconds)
            elif row.observed_generation >= row.generation:
                row.retry_at = None
            else:
                row.retry_at = clock.now()

        self.db.transact(give_back)


def _rowcount(result: Any) -> int:
    return int(result.rowcount)
