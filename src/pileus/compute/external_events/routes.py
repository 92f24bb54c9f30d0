"""News of servers from other services: hints to look at a server again. What is true of it is read from the rows."""

import msgspec
from sqlalchemy import select

from pileus.compute.external_events.schemas import SINCE, EventsBody
from pileus.compute.servers.models import Server
from pileus.kernel.bus.base import CONTROL
from pileus.kernel.errors import BadRequest, NotFound
from pileus.kernel.http.call import Call, Json, Reply
from pileus.kernel.http.routes import Route
from pileus.kernel.policy import Rule

EVENTS = "os_compute_api:os-server-external-events:create"


def create(call: Call, body: EventsBody) -> Reply:
    """Each event gets a code: 200, 404 for a server that is not there, 422 for one that is on no host yet."""
    for event in body.events:
        if call.version < SINCE.get(event.name, (2, 1)):
            raise BadRequest(f"Invalid input: event {event.name} does not exist in microversion {call.version}")
    ids = {event.server_uuid for event in body.events}
    hosts = {row.id: row.host for row in call.db.execute(select(Server.id, Server.host).where(Server.id.in_(ids)))}
    shown: list[Json] = []
    for event in body.events:
        code = 404 if event.server_uuid not in hosts else 200 if hosts[event.server_uuid] else 422
        held: Json = msgspec.to_builtins(event)
        shown.append(held | {"code": code, "status": event.status if code == 200 else "failed"})
        if code == 200:
            call.poke(CONTROL, "server", server_id=event.server_uuid)
    codes = {entry["code"] for entry in shown}
    if codes == {404}:
        raise NotFound("No instances found for any event")
    return Reply({"events": shown}, status=200 if codes == {200} else 207)


ROUTES = (Route("POST", "/v2.1/os-server-external-events", create, EVENTS),)
RULES = (Rule(EVENTS, "rule:admin_required or rule:service_role", "Tell compute news of servers"),)
