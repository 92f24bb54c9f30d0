"""The bus of one process: topics are handlers in a dict. For tests and for a cloud that runs in one process."""

import asyncio
import logging
from collections.abc import Mapping
from typing import Any

from pileus.kernel.bus.base import BusError, Handler

log = logging.getLogger(__name__)


class MemoryBus:
    def __init__(self) -> None:
        self._topics: dict[str, Handler] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._tasks: set[asyncio.Task[Any]] = set()
        self.casts: list[tuple[str, str, dict[str, Any]]] = []  # what was hinted, for tests to look at

    async def serve(self, topic: str, handler: Handler) -> None:
        self._topics[topic] = handler
        self._loop = asyncio.get_running_loop()

    def cast(self, topic: str, method: str, args: Mapping[str, Any]) -> None:
        self.casts.append((topic, method, dict(args)))
        del self.casts[:-1000]
        handler = self._topics.get(topic)
        if handler is not None and self._loop is not None:
            self._loop.call_soon_threadsafe(self._deliver, handler, method, args)

    def _deliver(self, handler: Handler, method: str, args: Mapping[str, Any]) -> None:
        task = asyncio.ensure_future(_take(handler, method, args))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def call(self, topic: str, method: str, args: Mapping[str, Any], *, timeout: float = 30) -> Any:
        handler = self._topics.get(topic)
        if handler is None:
            raise BusError(f"{topic} is not reachable: nobody serves it")
        try:
            async with asyncio.timeout(timeout) as limit:
                return await handler(method, args)
        except Exception as error:
            if limit.expired():
                raise BusError(f"{topic} did not answer {method} within {timeout:g} s") from None
            raise BusError(f"{type(error).__name__}: {error}") from error

    async def close(self) -> None:
        self._topics.clear()


async def _take(handler: Handler, method: str, args: Mapping[str, Any]) -> None:
    try:
        await handler(method, args)
    except Exception:
        log.exception("cast %s failed", method)
