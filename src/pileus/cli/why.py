"""`pileus why SERVER`: what a server is waiting for or was refused for, and whether it would find a host now."""

import argparse

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from pileus.cli.installation import composed
from pileus.compute.hosts.models import Host
from pileus.compute.scheduler.choose import explain
from pileus.compute.scheduler.verdicts import summarise
from pileus.compute.servers import states
from pileus.compute.servers.host_request import of_server
from pileus.compute.servers.models import Server
from pileus.compute.settings import ComputeSettings
from pileus.kernel import clock
from pileus.kernel.errors import BadRequest


def why(options: argparse.Namespace) -> int:
    """Exit status 1 when there is no such server."""
    with composed(options) as cloud, cloud.db.reading() as db:
        named = or_(Server.id == options.server, Server.name == options.server)
        servers = list(db.scalars(select(Server).where(named).order_by(Server.created_at)))
        if not servers:
            print(f"There is no server of the id or name {options.server}.")
            return 1
        for server in servers:
            print("\n".join(_lines(db, cloud.settings(ComputeSettings), server)))
    return 0


def _lines(db: Session, settings: ComputeSettings, server: Server) -> list[str]:
    state = states.state(server, server.guest)
    lines = [f"{server.id} {server.name}: {state.status}" + (f", {state.task_state}" if state.task_state else "")]
    lines.append(f"  host {server.host or '-'}, project {server.project_id}")
    if server.fault is not None:
        lines.append(f"  {server.fault['message']}")
        lines += [f"    {line}" for line in str(server.fault.get("details") or "").splitlines()]
    if states.behind(server, server.guest) and server.host is not None and server.fault is None:
        reached = server.guest.generation if server.guest else 0
        lines.append(f"  wanted {server.wanted} (request {server.generation}), the host has reached {reached}")
    if server.retry_at is not None:
        lines.append(f"  looked at again in {max(0, (server.retry_at - clock.now()).total_seconds()):.0f} s")
    if server.host is None and server.wanted != "deleted":
        lines += _now(db, settings, server)
    return lines


def _now(db: Session, settings: ComputeSettings, server: Server) -> list[str]:
    try:
        request = of_server(db, settings, server)
    except BadRequest as refused:
        return [f"  now: refused before any host is asked: {refused.message}"]
    verdicts = explain(db, settings, request)
    hosts = db.scalar(select(func.count()).select_from(Host)) or 0
    fit = hosts - len(verdicts)
    lines = [f"  now: {fit} of {hosts} hosts would take it" if fit else f"  now: {summarise(verdicts)}"]
    return [*lines, *(f"    {verdict}" for verdict in verdicts)]
