"""`pileus audit`: queries that must be empty."""

import argparse

from sqlalchemy import select

from pileus.cli import running
from pileus.compute.guests.models import Guest
from pileus.compute.servers.models import Server
from pileus.compute.topology import claims
from pileus.kernel.db import Database
from pileus.network import internal as network
from pileus.placement import internal as placement
from pileus.roles.state import default_folder


def audit(options: argparse.Namespace) -> int:
    """Prints each finding; exit status 1 when there is any."""
    state = (options.state or default_folder()).absolute()
    facts = running.facts(state)
    if not facts:
        print(f"No cloud was ever up in {state}.")
        return 1
    database = Database(facts["database"])
    with database.reading() as db:
        servers = set(db.scalars(select(Server.id)))
        findings = [f"allocation of unknown server {c}" for c in placement.orphans(db, servers)]
        findings += [f"port {p.port_id} of unknown server {p.server_id}" for p in network.orphans(db, servers)]
        findings += [
            f"guest facts of unknown server {g}" for g in db.scalars(select(Guest.server_id)) if g not in servers
        ]
        findings += claims.strays(db, dict(db.execute(select(Server.id, Server.host_id)).all()))
    database.close()
    for finding in findings:
        print(finding)
    print(f"{len(findings)} findings.")
    return 1 if findings else 0
