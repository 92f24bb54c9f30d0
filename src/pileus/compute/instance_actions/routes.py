"""The history of a server: the table, the rules, the views."""

import hashlib
from datetime import datetime

from pileus.compute.instance_actions import queries
from pileus.compute.instance_actions.models import InstanceAction
from pileus.compute.servers.models import Server
from pileus.compute.servers.queries import find as find_server
from pileus.compute.strictness import PAGING, refuse_unknown
from pileus.kernel.http.call import Call, Json
from pileus.kernel.http.routes import Route
from pileus.kernel.policy import Rule

ACTIONS = "os_compute_api:os-instance-actions"
WINDOW = ("changes-since", "changes-before")


def index(call: Call, server: Server) -> Json:
    known = (*PAGING, *(WINDOW if call.at_least(2, 66) else WINDOW[:1]))
    refuse_unknown(call, known, since=(2, 58))
    page = queries.page(call, server)
    body: Json = {"instanceActions": [view(call, action) for action in page.items]}
    if link := queries.next_link(call, server, page):
        body["links"] = [{"rel": "next", "href": link}]
    return body


def show(call: Call, server: Server, request_id: str) -> Json:
    action = queries.find(call, server, request_id)
    shown = view(call, action)
    owner: dict[str, object] = {"project_id": server.project_id, "user_id": server.user_id}
    everything = call.allows(f"{ACTIONS}:events", owner)
    if everything or call.at_least(2, 51):
        shown["events"] = [event(call, server, action, everything=everything)]
    return {"instanceAction": shown}


def view(call: Call, action: InstanceAction) -> Json:
    shown: Json = {
        "action": action.action,
        "instance_uuid": action.server_id,
        "request_id": action.request_id,
        "user_id": action.user_id,
        "project_id": action.project_id,
        "start_time": _time(action.started_at),
        "message": "Error" if action.result == "Error" else None,
    }
    return shown | ({"updated_at": _time(action.updated_at)} if call.at_least(2, 58) else {})


def event(call: Call, server: Server, action: InstanceAction, *, everything: bool) -> Json:
    """The host's part of a request: there is one, as one host makes true what was asked."""
    shown: Json = {
        "event": f"compute_{action.action}_instance",
        "start_time": _time(action.started_at),
        "finish_time": _time(action.finished_at),
        "result": action.result,
    }
    if everything:
        shown["traceback"] = None
    if call.at_least(2, 62):
        own = f"{server.project_id}{action.host}" if action.host else ""
        shown["hostId"] = hashlib.sha224(own.encode()).hexdigest() if own else ""
        if everything:
            shown["host"] = action.host
    if call.at_least(2, 84) and call.allows(f"{ACTIONS}:events:details"):
        shown["details"] = action.message
    return shown


def _time(when: datetime | None) -> str | None:
    return when.isoformat(timespec="microseconds") if when is not None else None


A = "/v2.1/servers/{server_id}/os-instance-actions"
ROUTES = (
    Route("GET", A, index, f"{ACTIONS}:list", load=find_server),
    Route("GET", f"{A}/{{request_id}}", show, f"{ACTIONS}:show", load=find_server),
)
RULES = (
    Rule(f"{ACTIONS}:list", "rule:reader_or_admin", "List what was done to a server"),
    Rule(f"{ACTIONS}:show", "rule:reader_or_admin", "Show one thing that was done to a server"),
    Rule(f"{ACTIONS}:events", "rule:admin_required", "See hosts and all events of what was done"),
    Rule(f"{ACTIONS}:events:details", "rule:admin_required", "See the details of errors"),
)
