"""`pileus down`: the control plane ends; with `--all` guests, networks and the hypervisor's daemon as well."""

import argparse
import os
import signal
import sys
import time
from pathlib import Path

from pileus.cli import running
from pileus.roles.state import default_folder
from pileus.setup.progress import step

WITHIN = 30  # seconds


def down(options: argparse.Namespace) -> int:
    state = (options.state or default_folder()).absolute()
    if running.is_up(state):
        pid = running.supervisor(state)
        if pid is None:
            print("pileus: a cloud is up, but its supervisor's pid is not known", file=sys.stderr)
            return 1
        os.kill(pid, signal.SIGTERM)
        with step("Stopping", after=1.0):
            deadline = time.monotonic() + WITHIN
            while running.is_up(state):
                if time.monotonic() > deadline:
                    print(f"pileus: still there after {WITHIN} s: pid {pid}", file=sys.stderr)
                    return 1
                time.sleep(0.05)
        print("pileus is down.")
    else:
        print("pileus is not up.")
    return _all(state) if options.all else 0


def _all(state: Path) -> int:
    """Nothing of this host's data plane is left but the guests' disks: the next `up` starts the guests again."""
    from pileus import composition
    from pileus.compute.agent.journal import Journal
    from pileus.roles.agent import drivers

    facts = running.facts(state)
    if not facts:
        return 0
    conf = composition.load(state, Path(facts["config"]) if facts.get("config") else None, facts["overrides"])
    hypervisor, network = drivers(conf, facts["host"])
    with step("Stopping guests", after=1.0):
        hypervisor.start()
        for server_id in hypervisor.guests():
            hypervisor.ensure_stopped(server_id, 0)
        hypervisor.stop()
        Journal(state / "agent").forget_boot()
    with step("Removing networks", after=1.0):
        network.start()
        network.stop(True)
    print("Guests, networks and the hypervisor's daemon are stopped.")
    return 0
