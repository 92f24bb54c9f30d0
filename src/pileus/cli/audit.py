"""`pileus audit`: queries that must be empty."""

import argparse
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from pileus import composition
from pileus.cli import running
from pileus.compute.guests.models import Guest
from pileus.compute.servers.models import Server
from pileus.compute.topology import claims
from pileus.image import audit as image
from pileus.kernel.db import Database
from pileus.network import internal as network
from pileus.placement import audit as placement
from pileus.roles.state import default_folder


def audit(options: argparse.Namespace) -> int:
    """Prints each finding; exit status 1 when there is any."""
    state = (options.state or default_folder()).absolute()
    facts = running.facts(state)
    if not facts:
        print(f"No cloud was ever up in {state}.")
        return 1
    conf = composition.load(state, Path(facts["config"]) if facts.get("config") else None, facts["overrides"])
    database = Database(facts["database"])
    with database.reading() as db:
        found = findings(db) + image.astray(db, conf)
    database.close()
    for finding in found:
        print(finding)
    print(f"{len(found)} findings.")
    return 1 if found else 0


def findings(db: Session) -> list[str]:
    """A line for each thing that belongs to nothing, or was given twice."""
    servers = {row.id: row for row in db.execute(select(Server.id, Server.host, Server.host_id))}
    held = placement.holders(db)
    return [
        *(f"allocation of unknown server {c}" for c in placement.orphans(db, servers)),
        *placement.unowned(db),
        *placement.overfull(db),
        *claims.strays(db, {s.id: s.host_id for s in servers.values()}),
        *(
            f"server {s.id} is on {s.host} without an allocation"
            for s in servers.values()
            if s.host and s.id not in held
        ),
        *(f"port {p.port_id} of unknown server {p.server_id}" for p in network.orphans(db, set(servers))),
        *image.stuck(db),
        *(f"guest facts of unknown server {g}" for g in db.scalars(select(Guest.server_id)) if g not in servers),
    ]
