"""What hosts say: that they are there, and what stands on them."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import set_committed_value

from pileus.kernel import clock
from pileus.network.agent.snapshot import NetworkReport
from pileus.network.attributes import bump
from pileus.network.errors import invalid
from pileus.network.hosts import binding, services
from pileus.network.hosts.models import NetworkHost
from pileus.network.ports import states
from pileus.network.ports.models import Port, PortFact
from pileus.network.settings import settings_of

LONGEST_FAULT = 255


def register(db: Session, host: str, tunnel_ip: str, physical_networks: Sequence[str], mechanism: str) -> None:
    """The agent of a host started. New hosts get what waits for one; ports that failed to bind there are tried again."""
    if not host:
        raise invalid("a network host has a name.")
    row = db.get(NetworkHost, host)
    if row is None:
        row = NetworkHost(host=host)
        db.add(row)
    moved = (row.tunnel_ip, row.mechanism, row.physical_networks) != (tunnel_ip, mechanism, list(physical_networks))
    row.tunnel_ip, row.physical_networks, row.mechanism = tunnel_ip, list(physical_networks), mechanism
    row.started_at = row.last_seen = clock.now()
    db.flush()
    if moved:
        bump(db)  # other hosts' tunnels lead here
    for port in db.scalars(select(Port).where(Port.host == host, Port.vif_type == "binding_failed")):
        binding.bind(db, port, host)
    services.ensure_services(db)


def seen(db: Session, host: str, notes: Sequence[str]) -> None:
    row = db.get(NetworkHost, host)
    if row is None:
        return
    back = row.last_seen < clock.after(-settings_of(db).host_down_after)
    row.last_seen = clock.now()
    if row.notes != list(notes):
        row.notes = list(notes)
    db.flush()
    if back:
        services.ensure_services(db)


def apply(db: Session, report: NetworkReport) -> list[str]:
    """Write the facts; ids of the servers whose ports have another status now."""
    row = db.get(NetworkHost, report.host)
    if row is None:
        return []
    row.last_seen, row.applied_generation = clock.now(), report.generation
    if row.faults != report.faults:
        row.faults = dict(report.faults)
    if row.notes != list(report.notes):
        row.notes = list(report.notes)
    up = set(report.ports_up)
    changed: list[str] = []
    for port in db.scalars(select(Port).where(Port.id.in_(_news(db, report, up)))):
        before = states.status(port)
        _note(db, port, report.host, port.id in up, report.faults.get(port.id))
        if states.status(port) != before and port.server_id and port.server_id not in changed:
            changed.append(port.server_id)
    db.flush()
    return changed


def _news(db: Session, report: NetworkReport, up: set[str]) -> list[str]:
    """Ports of the host of which the report says something else than what is known: of a thousand ports mostly none."""
    known = select(Port.id, PortFact.host, PortFact.up, PortFact.fault).outerjoin(PortFact, PortFact.port_id == Port.id)
    return [
        port_id
        for port_id, host, was_up, fault in db.execute(known.where(Port.host == report.host))
        if (host, was_up, fault) != (report.host, port_id in up, _shown(report.faults.get(port_id)))
    ]


def _shown(fault: str | None) -> str | None:
    return fault[:LONGEST_FAULT] if fault else None


def _note(db: Session, port: Port, host: str, up: bool, fault: str | None) -> None:
    fault, fact = _shown(fault), port.fact
    if fact is None:
        if up or fault:
            fact = PortFact(port_id=port.id, host=host, up=up, fault=fault)
            db.add(fact)
            set_committed_value(port, "fact", fact)
    elif (fact.host, fact.up, fact.fault) != (host, up, fault):
        fact.host, fact.up, fact.fault, fact.changed_at = host, up, fault, clock.now()
