"""Clouds to measure: each on a state folder of its own, in a network namespace of its own when root runs this."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.system.installation import Installation
from tests.system.namespace import network_namespace


@contextmanager
def surroundings() -> Iterator[None]:
    """Where no other cloud is, and where a data plane disturbs nobody."""
    if os.geteuid() != 0:
        yield
        return
    with network_namespace(f"pileus-bench-{os.getpid()}"):
        yield


@contextmanager
def folder() -> Iterator[Path]:
    """A place that the unprivileged roles can enter; gone at the end."""
    made = Path(tempfile.mkdtemp(prefix="pileus-bench-", dir="/var/tmp"))
    made.chmod(0o711)
    try:
        yield made
    finally:
        shutil.rmtree(made)


@contextmanager
def cloud(*options: str) -> Iterator[Installation]:
    """Up, and down at the end with all that it started, whatever happened: also when it did not come up in time."""
    with folder() as made:
        running = Installation(made / "state")
        try:
            try:
                running.pileus("up", "--detach", *options)
            except AssertionError as error:
                raise RuntimeError(f"{error}\n{last_words(running.state)}") from None
            yield running
        finally:
            running.pileus("down", "--all", check=False)


def last_words(state: Path) -> str:
    """The end of each role's log: the folder is gone when its reader comes."""
    logs = sorted((state / "log").glob("*.log"))
    return "\n".join(f"{log.stem}: {' | '.join(log.read_text(errors='replace').splitlines()[-2:])}" for log in logs)


def lift_quotas(cloud: Installation) -> None:
    """The admin's project may have any number of everything that the benchmark makes."""
    project = cloud.call("GET", "/identity/v3/projects?name=admin", user="admin")["projects"][0]["id"]
    compute = {"instances": -1, "cores": -1, "ram": -1}
    cloud.call("PUT", f"/compute/v2.1/os-quota-sets/{project}", {"quota_set": compute}, "admin", "compute 2.1")
    network = {"port": -1, "network": -1, "subnet": -1}
    cloud.call("PUT", f"/network/v2.0/quotas/{project}", {"quota": network}, "admin")
