"""`pileus status`: what runs, where, with which drivers, and what is degraded and why."""

import argparse
from pathlib import Path

from sqlalchemy import func, select

from pileus.cli import running
from pileus.composition import SERVICES
from pileus.compute.hosts.models import Host
from pileus.compute.servers.models import Server
from pileus.kernel.db import Database
from pileus.network import internal as network
from pileus.roles.state import default_folder


def status(options: argparse.Namespace) -> int:
    """Exit status 0 when the cloud is up and nothing is missing, else 1."""
    state = (options.state or default_folder()).absolute()
    facts = running.facts(state)
    if not facts or not running.is_up(state):
        print(f"pileus is not up (state folder {state}).")
        return 1
    healthy = _roles(state)
    print("\nEndpoints")
    for manifest in SERVICES:
        for kind, path in manifest.types.items():
            print(f"  {kind:14} {facts['endpoint']}/{manifest.name}{path}")
    print(f"  {'metadata':14} http://{facts['metadata']}")
    return 0 if _hosts(facts["database"]) and healthy else 1


def _roles(state: Path) -> bool:
    print("Roles")
    healthy = True
    for path in sorted((state / "run").glob("*.pid")):
        pid = running.pid_of(state, path.stem)
        healthy = healthy and pid is not None
        print(f"  {path.stem:14} {f'pid {pid}' if pid else 'DOWN (being restarted)'}")
    return healthy


def _hosts(url: str) -> bool:
    database = Database(url)
    healthy = True
    with database.reading() as db:
        servers = dict(
            db.execute(select(Server.host, func.count()).where(Server.host.is_not(None)).group_by(Server.host)).all()
        )
        degraded = network.host_faults(db)
        print("\nHosts")
        for host in db.scalars(select(Host).order_by(Host.name)):
            condition = "up" if host.up else "DOWN"
            healthy = healthy and host.up
            print(
                f"  {host.name:14} {condition}, {host.hypervisor_type}, {host.vcpus} CPUs, {host.memory_mb} MiB, "
                f"{host.disk_gb} GiB, {servers.get(host.name, 0)} servers"
            )
            notes, faults = degraded.get(host.name, ((), {}))
            for note in (*host.notes, *notes):
                print(f"    degraded: {note}")
            for item, why in faults.items():
                print(f"    fault: {item}: {why}")
    database.close()
    return healthy
