"""How long a project's servers used how much, from the rows of the servers that there are."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from pileus.compute.servers.models import Server
from pileus.compute.servers.states import state
from pileus.kernel import clock
from pileus.kernel.errors import BadRequest
from pileus.kernel.http.call import Call, Json


class Period(NamedTuple):
    start: datetime
    stop: datetime

    def seconds(self, server: Server) -> float:
        """For how long of the period the server was there."""
        return max(0.0, (self.stop - max(self.start, server.launched_at or self.stop)).total_seconds())


def period_of(call: Call) -> Period:
    """`start` and `end` of the query; now for each that is missing."""
    now = clock.now()
    period = Period(_moment(call, "start") or now, _moment(call, "end") or now)
    if period.start > period.stop:
        raise BadRequest("Invalid start time. The start time cannot occur after the end time.")
    return period


def _moment(call: Call, name: str) -> datetime | None:
    text = call.query_value(name)
    try:
        return clock.parse(text) if text else None
    except ValueError:
        raise BadRequest(f"Invalid input for query parameter {name}: {text!r} is not a date-time") from None


def of_server(server: Server, period: Period) -> Json:
    seconds = period.seconds(server)
    started = server.launched_at
    return {
        "instance_id": server.id,
        "name": server.name,
        "tenant_id": server.project_id,
        "flavor": server.flavor["name"],
        "vcpus": server.flavor["vcpus"],
        "memory_mb": server.flavor["ram"],
        "local_gb": server.flavor["disk"] + server.flavor["ephemeral"],
        "hours": seconds / 3600,
        "started_at": started.isoformat(timespec="microseconds") if started else None,
        "ended_at": None,
        "state": state(server, server.guest).vm_state,
        "uptime": int(max(0.0, (clock.now() - started).total_seconds())) if started else 0,
    }


def of_project(project_id: str, servers: Sequence[Server], period: Period, *, detailed: bool) -> Json:
    rows = [of_server(server, period) for server in servers]
    shown: Json = {
        "tenant_id": project_id,
        "start": period.start.isoformat(timespec="microseconds"),
        "stop": period.stop.isoformat(timespec="microseconds"),
        "total_hours": sum(row["hours"] for row in rows),
        "total_vcpus_usage": sum(row["hours"] * row["vcpus"] for row in rows),
        "total_memory_mb_usage": sum(row["hours"] * row["memory_mb"] for row in rows),
        "total_local_gb_usage": sum(row["hours"] * row["local_gb"] for row in rows),
    }
    return shown | ({"server_usages": rows} if detailed else {})
