"""The bus between the roles: hints and questions, never truth.

The protocol fits AMQP: a topic is a queue, `cast` a message that may be lost or doubled, `call` one with a reply queue and a time
limit. Payloads are MessagePack maps of plain values.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol

Handler = Callable[[str, Mapping[str, Any]], Awaitable[Any]]

CONTROL = "control"  # served by the reconcile role


def agent_topic(host: str) -> str:
    return f"agent.{host}"


class BusError(Exception):
    """A call got no answer: nobody serves the topic, the time ran out, or the other side failed (message says which)."""


class Bus(Protocol):
    async def serve(self, topic: str, handler: Handler) -> None:
        """Answer calls and take casts of this topic until `close`. One server a topic."""

    def cast(self, topic: str, method: str, args: Mapping[str, Any]) -> None:
        """Send and forget. Never blocks, never raises."""

    async def call(self, topic: str, method: str, args: Mapping[str, Any], *, timeout: float = 30) -> Any:
        """Ask and wait. Raises BusError."""

    async def close(self) -> None: ...
