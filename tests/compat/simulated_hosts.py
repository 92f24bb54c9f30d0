"""More hosts for a cloud that runs on fakes: an agent each, on the cloud's own bus. `python -m tests.compat.simulated_hosts --help`.

What needs several hosts (placement, aggregates, zones, server groups, moves) can so be tried on one machine.
"""

import argparse
import asyncio
import contextlib
import multiprocessing
import os
from collections.abc import Iterator
from pathlib import Path

from pileus import composition
from pileus.cli import running
from pileus.kernel.bus.local import LocalBus
from pileus.kernel.config import Config
from pileus.roles import agent
from pileus.roles.state import HOST, drop_privileges, owner_of_roles
from tests.system.installation import wait_for


def configuration(state: Path, name: str) -> Config:
    """That of the cloud in `state`, for a host that keeps its own guests below `hosts/`. Raises SystemExit without fakes."""
    facts = running.facts(state)
    file = facts.get("config")
    cloud = composition.load(state, Path(file) if file else None, facts.get("overrides", {}))
    if (cloud.cloud.hypervisor, cloud.cloud.network_mechanism) != ("fake", "fake"):
        raise SystemExit("Only a cloud on fakes may have simulated hosts: start it with `up --fake`.")
    return Config(state / "hosts" / name, cloud.sections)


def run(state: Path, name: str) -> None:
    """One host's agent, until SIGTERM. Works as the cloud's other roles do, without privileges."""
    conf = configuration(state, name)
    owner = owner_of_roles(conf.cloud.user)
    for folder in (conf.state, *(conf.state / part for part in HOST)):
        folder.mkdir(mode=0o711, parents=True, exist_ok=True)
        os.chown(folder, *owner)
    ready(state, name).unlink(missing_ok=True)
    with contextlib.suppress(FileExistsError):
        (conf.state / "secrets").symlink_to(state / "secrets")
    drop_privileges(owner)
    asyncio.run(agent.run(conf, LocalBus(state / "bus"), name))


def ready(state: Path, name: str) -> Path:
    """A file that is there once the host works."""
    return state / "hosts" / name / "agent" / "ready"


@contextlib.contextmanager
def hosts(state: Path, count: int) -> Iterator[list[str]]:
    """Names of `count` more hosts, which are there as long as the block."""
    names = [f"simulated-{number}" for number in range(1, count + 1)]
    start = multiprocessing.get_context("spawn").Process
    agents = [start(target=run, args=(state, name), daemon=True) for name in names]
    for process in agents:
        process.start()
    try:
        for name in names:
            wait_for(f"the agent of {name}", ready(state, name).exists)
        yield names
    finally:
        for process in agents:
            process.terminate()
        for process in agents:
            process.join(30)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.compat.simulated_hosts", description=__doc__)
    parser.add_argument("--state", type=Path, required=True, metavar="DIR", help="the running cloud's state folder")
    parser.add_argument("--name", default=f"simulated-{os.getpid()}", help="the host's name")
    options = parser.parse_args()
    run(options.state.absolute(), options.name)


if __name__ == "__main__":
    main()
