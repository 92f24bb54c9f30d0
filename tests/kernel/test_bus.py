"""One contract, both buses; then what only sockets can do wrong."""

import asyncio
import logging
import os
import socket
import stat
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import uvloop

from pileus.kernel.bus.base import Bus, BusError
from pileus.kernel.bus.local import LocalBus
from pileus.kernel.bus.memory import MemoryBus

Story = Callable[[Bus, Bus, "Desk"], Awaitable[None]]


class Desk:
    """A handler that remembers."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, dict[str, Any]]] = []
        self.gate = asyncio.Event()

    async def handle(self, method: str, args: Mapping[str, Any]) -> Any:
        self.heard.append((method, dict(args)))
        match method:
            case "fail":
                raise LookupError("no such thing")
            case "wait":
                await self.gate.wait()
            case "size":
                return len(args["data"])
            case "nothing":
                return None
        return dict(args)

    async def hears(self, count: int) -> None:
        async with asyncio.timeout(5):
            while len(self.heard) < count:
                await asyncio.sleep(0.005)


@pytest.fixture(params=["local", "local on uvloop", "memory"])
def play(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[Story], None]:
    """Runs a story with a serving bus, an asking bus and the desk behind the topic `control`."""

    def run(story: Story) -> None:
        async def live() -> None:
            local = request.param.startswith("local")
            serving: Bus = LocalBus(tmp_path) if local else MemoryBus()
            asking: Bus = LocalBus(tmp_path) if local else serving
            desk = Desk()
            await serving.serve("control", desk.handle)
            try:
                await story(serving, asking, desk)
            finally:
                await serving.close()
                await asking.close()

        factory = uvloop.new_event_loop if "uvloop" in request.param else None  # what the roles run on
        with asyncio.Runner(loop_factory=factory) as runner:
            runner.run(live())

    return run


def test_a_cast_arrives_and_a_call_is_answered(play: Callable[[Story], None]) -> None:
    async def story(_: Bus, bus: Bus, desk: Desk) -> None:
        bus.cast("control", "hint", {"id": "1"})
        await desk.hears(1)
        assert desk.heard == [("hint", {"id": "1"})]
        wish = {"text": "ä", "number": 5, "none": None, "list": [1, {"a": b"\x00\xff"}]}
        assert await bus.call("control", "echo", wish) == wish
        assert await bus.call("control", "nothing", {}) is None

    play(story)


def test_a_failing_handler_answers_with_its_words_and_goes_on(
    play: Callable[[Story], None], caplog: pytest.LogCaptureFixture
) -> None:
    async def story(_: Bus, bus: Bus, desk: Desk) -> None:
        with pytest.raises(BusError, match=r"^LookupError: no such thing$"):
            await bus.call("control", "fail", {})
        bus.cast("control", "fail", {})
        await desk.hears(2)
        assert await bus.call("control", "echo", {"a": 1}) == {"a": 1}

    play(story)
    assert any("cast fail failed" in record.message for record in caplog.records)


def test_a_call_that_lasts_too_long(play: Callable[[Story], None]) -> None:
    async def story(_: Bus, bus: Bus, desk: Desk) -> None:
        with pytest.raises(BusError, match=r"^control did not answer wait within 0.05 s$"):
            await bus.call("control", "wait", {}, timeout=0.05)
        desk.gate.set()
        assert await bus.call("control", "echo", {}) == {}

    play(story)


def test_nobody_serves(play: Callable[[Story], None]) -> None:
    async def story(_: Bus, bus: Bus, desk: Desk) -> None:
        bus.cast("agent.nowhere", "hint", {})
        with pytest.raises(BusError, match=r"^agent\.nowhere is not reachable"):
            await bus.call("agent.nowhere", "echo", {})
        assert desk.heard == []

    play(story)


def test_a_large_payload_there_and_back(play: Callable[[Story], None]) -> None:
    async def story(_: Bus, bus: Bus, desk: Desk) -> None:
        data = bytes(20_000_000)
        assert await bus.call("control", "size", {"data": data}) == len(data)
        assert (await bus.call("control", "echo", {"data": data}))["data"] == data

    play(story)


def test_many_calls_at_once(play: Callable[[Story], None]) -> None:
    async def story(_: Bus, bus: Bus, desk: Desk) -> None:
        answers = await asyncio.gather(*(bus.call("control", "echo", {"n": n}) for n in range(300)))
        assert [answer["n"] for answer in answers] == list(range(300))

    play(story)


def test_calls_wait_for_their_own_answers_only(play: Callable[[Story], None]) -> None:
    async def story(_: Bus, bus: Bus, desk: Desk) -> None:
        slow = asyncio.create_task(bus.call("control", "wait", {"n": 1}))
        await desk.hears(1)
        assert await bus.call("control", "echo", {"n": 2}) == {"n": 2}
        assert not slow.done()
        desk.gate.set()
        assert await slow == {"n": 1}

    play(story)


def test_casts_to_a_server_that_does_not_listen_never_block(tmp_path: Path) -> None:
    async def live() -> None:
        bus, server, desk = LocalBus(tmp_path), LocalBus(tmp_path), Desk()
        await server.serve("control", desk.handle)
        started = time.monotonic()
        for number in range(5000):  # nothing is taken off the queue while this loop runs
            bus.cast("control", "hint", {"n": number})
        bus.cast("control", "hint", {"data": bytes(30_000_000)})
        assert time.monotonic() - started < 1
        await desk.hears(1)
        assert await bus.call("control", "echo", {}) == {}
        await server.close()
        await bus.close()

    asyncio.run(live())


def test_a_cast_of_a_hundred_thousand_bytes_arrives_whole(tmp_path: Path) -> None:
    async def live() -> None:
        bus, desk = LocalBus(tmp_path), Desk()
        await bus.serve("control", desk.handle)
        bus.cast("control", "hint", {"data": bytes(100_000)})
        await desk.hears(1)
        assert len(desk.heard[0][1]["data"]) == 100_000
        await bus.close()

    asyncio.run(live())


def test_a_server_that_starts_again_takes_over_what_the_dead_one_left(tmp_path: Path) -> None:
    async def live() -> None:
        first, asking, desk = LocalBus(tmp_path), LocalBus(tmp_path), Desk()
        await first.serve("control", Desk().handle)
        await first.close()
        for kind in ("cast", "call"):  # as `kill -9` leaves them
            path = tmp_path / f"control.{kind}"
            path.unlink(missing_ok=True)
            left = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM if kind == "cast" else socket.SOCK_STREAM)
            left.bind(str(path))
            left.close()
        asking.cast("control", "hint", {})
        with pytest.raises(BusError, match="not reachable"):
            await asking.call("control", "echo", {})
        second = LocalBus(tmp_path)
        await second.serve("control", desk.handle)
        asking.cast("control", "hint", {})  # by the same socket that knew the dead server
        await desk.hears(1)
        assert await asking.call("control", "echo", {"a": 1}) == {"a": 1}
        await second.close()
        await asking.close()

    asyncio.run(live())


def test_a_server_that_ends_in_the_middle_of_a_call(tmp_path: Path) -> None:
    async def live() -> None:
        async def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.close()

        server = await asyncio.start_unix_server(hang_up, str(tmp_path / "control.call"))
        bus = LocalBus(tmp_path)
        with pytest.raises(BusError, match="control"):
            await bus.call("control", "echo", {})
        server.close()
        await bus.close()

    asyncio.run(live())


NOISE = [
    b"",
    b"\xc1",
    b"\x93\x01\x02\x03",  # three things instead of two
    b"\x92\x01\x80",  # a method that is a number
    b"\x92\xa1a\x90",  # arguments that are a list
    b"\x92\xa1\xff\x80",  # text that is not UTF-8
    b"\x92\xa1a\x81\xa1b" + b"\x91" * 50_000,  # nested without end
    b"GET / HTTP/1.1\r\n\r\n",
]


@pytest.mark.parametrize("noise", NOISE, ids=lambda noise: noise[:8].hex() or "empty")
def test_noise_from_a_neighbour_costs_a_line_in_the_log(
    tmp_path: Path, noise: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    unhandled: list[Mapping[str, Any]] = []

    async def live() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: unhandled.append(context))
        bus, desk = LocalBus(tmp_path), Desk()
        await bus.serve("control", desk.handle)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as neighbour:
            neighbour.sendto(noise, str(tmp_path / "control.cast"))
        bus.cast("control", "hint", {})
        await desk.hears(1)
        assert desk.heard == [("hint", {})]
        for frame in (len(noise).to_bytes(4, "big") + noise, noise, b"\xff\xff\xff\xff" + noise):
            reader, writer = await asyncio.open_unix_connection(str(tmp_path / "control.call"))
            writer.write(frame)
            writer.write_eof()
            async with asyncio.timeout(5):
                assert await reader.read() == b""
            writer.close()
        assert await bus.call("control", "echo", {"a": 1}) == {"a": 1}
        await bus.close()

    asyncio.run(live())
    assert unhandled == []
    assert {record.levelno for record in caplog.records} <= {logging.DEBUG, logging.WARNING}
    assert any("not understood" in record.message for record in caplog.records)


def test_an_answer_that_can_not_be_sent_says_so(tmp_path: Path) -> None:
    async def odd(method: str, args: Mapping[str, Any]) -> object:
        return object()

    async def live() -> None:
        bus = LocalBus(tmp_path)
        await bus.serve("control", odd)
        with pytest.raises(BusError, match=r"^TypeError: "):
            await bus.call("control", "echo", {})
        await bus.close()

    asyncio.run(live())


@pytest.mark.parametrize(("for_others", "mode"), [(False, 0o700), (True, 0o777)])
def test_modes_of_the_sockets(tmp_path: Path, for_others: bool, mode: int) -> None:
    async def live() -> None:
        old = os.umask(0o022)
        try:
            bus = LocalBus(tmp_path, for_others=for_others)
            await bus.serve("control", Desk().handle)
            assert os.umask(0o022) == 0o022
        finally:
            os.umask(old)
        made = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
        assert made == {"control.cast": mode, "control.call": mode}
        await bus.close()

    asyncio.run(live())
