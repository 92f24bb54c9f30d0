"""The console log: the one answer that comes from the host while the caller waits."""

from pileus.compute.servers.models import Server
from pileus.compute.servers.schemas import ConsoleOutput
from pileus.kernel.bus.base import BusError, agent_topic
from pileus.kernel.errors import BadRequest, Conflict, NotFound, Unavailable
from pileus.kernel.http.call import Call, Json, Later
from pileus.kernel.http.schema import Unset


def output(call: Call, server: Server, body: ConsoleOutput) -> Later:
    """The last `length` lines (all when unset or -1). Asked of the host after the transaction has ended."""
    length = None if isinstance(body.length, Unset) else body.length
    if length is not None and length < -1:
        raise BadRequest(f"Invalid input for field length: {length} is less than the minimum of -1")
    if server.host is None:
        raise Conflict(f"Instance {server.id} is not ready: it has no host yet.")
    topic, args = agent_topic(server.host), {"server_id": server.id, "length": None if length == -1 else length}

    async def ask() -> Json:
        try:
            text = await call.cloud.bus.call(topic, "console_log", args, timeout=10)
        except BusError as error:
            raise Unavailable(f"The host of instance {args['server_id']} does not answer: {error}") from None
        if text is None:
            raise NotFound(f"Instance {args['server_id']} has no console log yet.")
        return {"output": text}

    return Later(ask)
