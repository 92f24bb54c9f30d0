"""Servers that wait for an image keep nobody from working."""

import asyncio
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from pileus.compute.agent.guests import Guests
from pileus.compute.agent.journal import Journal
from pileus.compute.agent.loop import Agent
from pileus.compute.drivers.base import GuestFailed, GuestSpec, ImageRef
from pileus.compute.drivers.fake import Driver, Settings
from pileus.compute.hosts.wire import GuestWanted
from pileus.kernel.bus.base import CONTROL
from pileus.kernel.bus.memory import MemoryBus
from pileus.network.agent.snapshot import HostNetwork
from pileus.network.drivers import load as load_mechanism

SLOW, QUICK = ImageRef("slow", "raw", 1, ""), ImageRef("quick", "raw", 1, "")
MANY = 12  # more than an agent works on at once


class Images:
    """Gives `SLOW` when it is let go, or fails with `failure`."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.failure: Exception | None = None
        self.waiting = self.most = 0
        self._lock = threading.Lock()

    def ensure(self, ref: ImageRef) -> Path:
        with self._lock:
            self.waiting += 1
            self.most = max(self.most, self.waiting)
        try:
            if ref == SLOW:
                assert self.go.is_set() or self.go.wait(10)
                if self.failure is not None:
                    raise self.failure
            return Path("/nowhere")
        finally:
            with self._lock:
                self.waiting -= 1


def wanted(number: int, image: ImageRef, power: str = "active") -> GuestWanted:
    server_id = f"00000000-0000-4000-8000-{number:012}"
    spec = GuestSpec(server_id, f"s{number}", "p", vcpus=1, memory_mb=64, root_gb=1, image=image)
    return GuestWanted(spec, 1, power, hard_reboots=0, soft_reboots=0, stop_grace=0, reboot_grace=0)


async def until(look: Callable[[], object]) -> None:
    async with asyncio.timeout(10):
        while not look():
            await asyncio.sleep(0.005)


async def agent_of(folder: Path, images: Images, heard: list[Any]) -> tuple[Agent, Driver]:
    async def hear(method: str, args: Mapping[str, Any]) -> None:
        heard.extend(args["report"]["guests"])

    bus, driver = MemoryBus(), Driver(Settings())
    await bus.serve(CONTROL, hear)
    network = HostNetwork(
        host="host1",
        state=str(folder),
        tunnel_ip="127.0.0.1",
        vxlan_port=4789,
        physical_networks={},
        metadata_url="",
        metadata_secret="",
    )
    guests = Guests(driver, Journal(folder / "agent"), images.ensure, "boot")
    return Agent(bus, driver, load_mechanism("fake", network), network, guests, mechanism="fake"), driver


def test_others_are_started_and_deleted_meanwhile(tmp_path: Path) -> None:
    async def story() -> None:
        images, heard = Images(), list[Any]()
        agent, driver = await agent_of(tmp_path, images, heard)
        for number in range(MANY):
            agent._take_up(wanted(number, SLOW))
        await until(lambda: images.waiting)
        quick = wanted(100, QUICK)
        agent._take_up(quick)
        await until(
            lambda: list(driver.guests()) == [quick.spec.server_id] and not agent._busy.get(quick.spec.server_id)
        )
        agent._take_up(wanted(100, QUICK, "deleted"))
        await until(lambda: not driver.guests())
        assert images.waiting == 1
        images.go.set()
        await until(lambda: len(driver.guests()) == MANY and not agent._busy)
        assert {fact["fault"] for fact in heard} == {None}

    asyncio.run(story())


def test_all_that_wait_are_told_of_one_failure(tmp_path: Path) -> None:
    async def story() -> None:
        images, heard = Images(), list[Any]()
        images.failure = GuestFailed("No room.", permanent=True)
        agent, driver = await agent_of(tmp_path, images, heard)
        for number in range(MANY):
            agent._take_up(wanted(number, SLOW))
        await until(lambda: images.waiting)
        images.go.set()
        await until(lambda: not agent._busy)
        assert [fact["fault"]["message"] for fact in heard] == ["No room."] * MANY
        assert (images.most, driver.guests()) == (1, {})

    asyncio.run(story())
