"""The cloud of a state folder, composed for one command: beside the running one, or without it."""

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from pileus import composition
from pileus.cli import running
from pileus.kernel.bus.memory import MemoryBus
from pileus.kernel.cloud import Cloud
from pileus.kernel.config import Config
from pileus.roles.state import default_folder, drop_privileges, owner_of_roles


def configuration(options: argparse.Namespace) -> Config:
    """As the last `up` had it. Raises SystemExit when there was none."""
    state = (options.state or default_folder()).absolute()
    facts = running.facts(state)
    if not facts:
        raise SystemExit(f"pileus: there is no cloud in {state}: `pileus up` makes one")
    return composition.load(state, Path(facts["config"]) if facts.get("config") else None, facts["overrides"])


@contextmanager
def composed(options: argparse.Namespace) -> Iterator[Cloud]:
    """As the roles' user, so that what is written here is theirs."""
    conf = configuration(options)
    drop_privileges(owner_of_roles(conf.cloud.user))
    cloud = composition.compose(conf, MemoryBus())
    try:
        yield cloud
    finally:
        cloud.db.close()


def tell(options: argparse.Namespace, data: Any, *lines: str) -> None:
    """`data` as JSON when that is asked for, else the lines."""
    if options.json:
        sys.stdout.write(msgspec.json.format(msgspec.json.encode(data), indent=2).decode() + "\n")
    else:
        print("\n".join(lines))
