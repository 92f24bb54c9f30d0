"""The agent's loop: poke or timer → ask what is wanted → network first, then guests → report.

Level-triggered throughout: a lost poke costs a timer's time, a killed agent starts by asking for everything. Guests that run are
never touched by a start of the agent.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec

from pileus.compute.agent.guests import Guests
from pileus.compute.agent.load import Load
from pileus.compute.drivers.base import Driver, GuestFailed
from pileus.compute.hosts.wire import GuestReport, GuestWanted, HostLoad, HostReport, Wanted
from pileus.kernel.bus.base import CONTROL, Bus, BusError, agent_topic
from pileus.network.agent.snapshot import HostNetwork, NetworkReport, Snapshot
from pileus.network.drivers.base import HostDriver

log = logging.getLogger(__name__)


class Agent:
    def __init__(
        self,
        bus: Bus,
        driver: Driver,
        network: HostDriver,
        settings: HostNetwork,
        guests: Guests,
        *,
        mechanism: str,
        interval: float = 5,
        ready: Callable[[], None] = lambda: None,
        tidy: Callable[[set[str]], object] = lambda images: None,
    ) -> None:
        self.bus = bus
        self.driver = driver
        self.network = network
        self.settings = settings
        self.guests = guests
        self.mechanism = mechanism
        self.interval = interval
        self.ready = ready  # told once, after the first round that succeeded
        self.tidy = tidy  # given the images in use whenever all of them are known
        self.host = settings.host
        self.load = Load()
        self._wake = asyncio.Event()
        self._busy: dict[str, asyncio.Task[None]] = {}
        self._again: set[str] = set()
        self._generation = -1  # of the network that stands
        self._full = True  # the next round asks for every guest, not only those that are behind
        self._slots = asyncio.Semaphore(4)
        self._images: dict[str, asyncio.Future[Path]] = {}  # image id -> its arrival on this host
        self._fetching = ThreadPoolExecutor(2, "image")  # threads of their own: everything else goes on meanwhile
        self._said: dict[str, GuestReport] = {}
        self._rests: dict[str, tuple[int, float]] = {}  # server -> generation that failed, when it may be tried again
        self._snapshot: Snapshot | None = None
        self._applied = 0.0
        self._notes: tuple[str, ...] = ()
        self._network_notes: tuple[str, ...] = ()
        self._strangers: tuple[str, ...] = ()

    async def run(self) -> None:
        """Until cancelled."""
        await self.bus.serve(agent_topic(self.host), self.handle)
        await self._hello()
        rounds = 0
        while True:
            self._wake.clear()
            full, self._full = self._full or rounds % 60 == 0, False
            try:
                await self._round(full)
                rounds += 1
                if rounds == 1:
                    self.ready()
            except BusError as error:
                log.warning("control plane: %s", error)
                self._full = True
                await asyncio.sleep(0.5)
            except Exception:
                self._full = True
                log.exception("agent round")
                await asyncio.sleep(1)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self.interval):
                    await self._wake.wait()

    async def handle(self, method: str, args: Mapping[str, Any]) -> Any:
        if method == "changed":
            self._wake.set()
            return None
        if method == "console_log":
            return await asyncio.to_thread(self._console_log, str(args["server_id"]), args["length"])
        raise LookupError(method)

    def _console_log(self, server_id: str, length: int | None) -> str | None:
        with contextlib.suppress(GuestFailed, FileNotFoundError):
            return self.driver.console_log(server_id, length)
        return None

    async def _hello(self) -> None:
        facts = await asyncio.to_thread(self.driver.host_facts)
        self._notes = facts.notes
        args = {
            "host": self.host,
            "address": self.settings.tunnel_ip,
            "facts": msgspec.to_builtins(facts),
            "physical_networks": list(self.settings.physical_networks),
            "mechanism": self.mechanism,
        }
        while True:
            try:
                await self.bus.call(CONTROL, "hello", args)
                return
            except BusError as error:
                log.info("waiting for the control plane: %s", error)
                await asyncio.sleep(0.2)

    async def _round(self, full: bool) -> None:
        """Each interval the network that is wanted already is applied again: what died or was taken away comes back."""
        question = {"host": self.host, "full": full, "network_generation": self._generation}
        wanted = msgspec.convert(await self.bus.call(CONTROL, "wanted", question), Wanted)
        report = None
        self._snapshot = wanted.network or self._snapshot
        due = wanted.network is not None or time.monotonic() - self._applied >= self.interval
        if self._snapshot is not None and due:
            self._applied = time.monotonic()
            report = await asyncio.to_thread(self.network.apply, self._snapshot)
            self._generation = -1 if report.faults else self._snapshot.generation
            self._network_notes = report.notes
            for item, why in report.faults.items():
                log.warning("network %s: %s", item, why)
        facts = await asyncio.to_thread(self._facts)
        await self._report(facts, report, self.load.news(), everything=full)
        for guest in wanted.guests:
            self._take_up(guest)
        if wanted.full:
            await asyncio.to_thread(self.tidy, set(wanted.images))
            await asyncio.to_thread(self._look_for_orphans, set(wanted.servers))

    def _look_for_orphans(self, known: set[str]) -> None:
        """Guests that no row explains are told of, never touched: a database may have been restored from yesterday."""
        strangers = sorted((set(self.driver.guests()) | self.driver.disk_ids()) - known - set(self._busy))
        self._strangers = tuple(f"guest {server_id} is here but belongs to no server" for server_id in strangers)

    def _facts(self) -> tuple[GuestReport, ...]:
        """News of the guests that this host has finished with; those being worked on report for themselves."""
        known = self.guests.journal.known() - set(self._busy)
        seen = self.driver.guests()
        facts = []
        for server_id in known:
            entry = self.guests.journal.get(server_id)
            if entry is None or entry.generation == 0 or entry.boot != self.guests.boot:
                continue  # not built yet, or not since the host booted: what it is now is not its owner's doing
            state = seen[server_id].state if server_id in seen else "stopped"
            facts.append(GuestReport(server_id, state, entry.generation))
        return tuple(facts)

    def _take_up(self, wanted: GuestWanted) -> None:
        server_id = wanted.spec.server_id
        if server_id in self._busy:
            self._again.add(server_id)
        elif self.guests.due(wanted) and not self._resting(wanted):
            self._busy[server_id] = asyncio.create_task(self._converge(wanted))

    async def _converge(self, wanted: GuestWanted) -> None:
        server_id = wanted.spec.server_id
        try:
            failure = await self._image(wanted)
            async with self._slots:
                report = await asyncio.to_thread(self.guests.converge, wanted, failure)
            await self._report((report,), None)
            if report.fault is not None:
                self._rest(wanted, min(30.0, 2.0 ** int(report.fault["attempts"])))
        except BusError as error:
            log.warning("report of %s: %s", server_id, error)
        finally:
            del self._busy[server_id]
            if server_id in self._again:
                self._again.discard(server_id)
                self._wake.set()

    async def _image(self, wanted: GuestWanted) -> BaseException | None:
        """Until the server's image is here. It takes none of the slots, and one thread for all servers that wait for it.

        Returns why it does not come, if so.
        """
        image = wanted.spec.image
        if image is None or wanted.power == "deleted":
            return None
        coming = self._images.get(image.id)
        if coming is None:
            coming = asyncio.get_running_loop().run_in_executor(self._fetching, self.guests.base_image, image)
            self._images[image.id] = coming
            coming.add_done_callback(lambda _: self._images.pop(image.id, None))
        await asyncio.wait([coming])
        return coming.exception()

    def _rest(self, wanted: GuestWanted, seconds: float) -> None:
        """After a failure the same wish waits a while; another wish does not."""
        self._rests[wanted.spec.server_id] = (wanted.generation, time.monotonic() + seconds)
        asyncio.get_running_loop().call_later(seconds, self._try_again)

    def _try_again(self) -> None:
        """All guests are asked for: one that fails to come back after a boot of the host is not behind by its generation."""
        self._full = True
        self._wake.set()

    def _resting(self, wanted: GuestWanted) -> bool:
        generation, until = self._rests.get(wanted.spec.server_id, (0, 0.0))
        if generation == wanted.generation and time.monotonic() < until:
            return True
        self._rests.pop(wanted.spec.server_id, None)
        return False

    async def _report(
        self,
        guests: tuple[GuestReport, ...],
        network: NetworkReport | None,
        load: HostLoad | None = None,
        *,
        everything: bool = False,
    ) -> None:
        """Only news of guests are sent; an empty report says that the host is alive."""
        news = tuple(fact for fact in guests if everything or self._said.get(fact.server_id) != fact)
        notes = (*self._notes, *self._strangers)
        report = HostReport(self.host, news, network, notes, self._network_notes, load)
        await self.bus.call(CONTROL, "report", {"report": msgspec.to_builtins(report)})
        for fact in news:
            if fact.state == "absent":
                self._said.pop(fact.server_id, None)
                self._rests.pop(fact.server_id, None)
            else:
                self._said[fact.server_id] = fact
