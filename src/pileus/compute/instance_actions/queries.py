"""Reading a server's history, newest first."""

from datetime import datetime
from urllib.parse import urlencode

from sqlalchemy import and_, or_, select

from pileus.compute.instance_actions.models import InstanceAction
from pileus.compute.paging import limit_of
from pileus.compute.servers.models import Server
from pileus.kernel import clock
from pileus.kernel.errors import BadRequest, NotFound
from pileus.kernel.http.call import Call
from pileus.kernel.http.listing import Page


def find(call: Call, server: Server, request_id: str) -> InstanceAction:
    """What one request did to the server."""
    query = select(InstanceAction).where(InstanceAction.server_id == server.id, InstanceAction.request_id == request_id)
    action = call.db.scalar(query.order_by(InstanceAction.started_at).limit(1))
    if action is None:
        raise NotFound(f"Action for request {request_id} not found")
    return action


def page(call: Call, server: Server) -> Page[InstanceAction]:
    """All of them before 2.58."""
    query = select(InstanceAction).where(InstanceAction.server_id == server.id)
    query = query.order_by(InstanceAction.started_at.desc(), InstanceAction.id.desc())
    if not call.at_least(2, 58):
        return Page(list(call.db.scalars(query)), None, False)
    if (since := _moment(call, "changes-since")) is not None:
        query = query.where(InstanceAction.updated_at >= since)
    if call.at_least(2, 66) and (before := _moment(call, "changes-before")) is not None:
        if since is not None and before < since:
            raise BadRequest("The value of changes-since must be less than or equal to changes-before.")
        query = query.where(InstanceAction.updated_at <= before)
    marker = call.query_value("marker")
    if marker is not None:
        try:
            last = find(call, server, marker)
        except NotFound:
            raise BadRequest(f"marker [{marker}] not found") from None
        same = and_(InstanceAction.started_at == last.started_at, InstanceAction.id < last.id)
        query = query.where(or_(InstanceAction.started_at < last.started_at, same))
    limit = limit_of(call)
    rows = list(call.db.scalars(query.limit(limit + 1)))
    return Page(rows[:limit], limit, len(rows) > limit)


def _moment(call: Call, name: str) -> datetime | None:
    text = call.query_value(name)
    try:
        return clock.parse(text) if text is not None else None
    except ValueError:
        raise BadRequest(f"Invalid input for query parameter {name}: {text!r} is not a date-time") from None


def next_link(call: Call, server: Server, page: Page[InstanceAction]) -> str | None:
    if not page.more or not page.items:
        return None
    rest = [(name, value) for name, value in call.query if name != "marker"]
    place = call.url(f"/v2.1/servers/{server.id}/os-instance-actions")
    return place + "?" + urlencode([*rest, ("marker", page.items[-1].request_id)])
