"""What the suites of clients have in common: their command line, the cloud that they run on, the run."""

import argparse
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pileus.setup import places
from tests.compat.tempest.__main__ import new_cloud, report
from tests.compat.tempest.endpoint import Endpoint
from tests.compat.tempest.suite import Suite, name, select
from tests.compat.tempest.tally import Tally


def options(
    suite: str, documentation: str, *, pattern: str = "", minutes: float = 60, alone: bool = False
) -> argparse.Namespace:
    """`pattern`: the tests that run when none is given. `alone`: only one test at a time makes sense."""
    summary, _, rest = documentation.partition("\n\n")
    parser = argparse.ArgumentParser(
        prog=f"python -m tests.compat.{suite}",
        description=summary,
        epilog=rest,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("pattern", nargs="?", default=pattern, metavar="REGEX", help="tests whose id matches")
    parser.add_argument("--state", type=Path, metavar="DIR", help="the running cloud of this state folder")
    parser.set_defaults(workers=1)
    if not alone:
        parser.add_argument("--workers", type=int, default=2, metavar="N", help="tests at a time (default 2)")
    parser.add_argument(
        "--minutes", type=float, default=minutes, metavar="N", help="end after this time (default %(default)s)"
    )
    parser.add_argument("--out", type=Path, default=places.find().cache / suite, metavar="DIR", help="where reports go")
    return parser.parse_args()


@contextmanager
def endpoint(state: Path | None) -> Iterator[Endpoint]:
    """The running cloud of a state folder, or a new one with fake hypervisor and network."""
    if state:
        yield Endpoint(state.absolute())
        return
    with new_cloud(fake=True) as made:
        yield Endpoint(made)


@contextmanager
def logins(cloud: Endpoint, out: Path, project: str, system: str = "") -> Iterator[None]:
    """clouds.yaml (JSON is YAML) in the suite's working folder: an administrator in the project admin, and in the system."""
    user = {
        "auth_url": f"{cloud.url}/identity/v3",
        "username": "admin",
        "password": cloud.password,
        "user_domain_id": "default",
    }
    every = {project: {"auth": user | {"project_name": "admin", "project_domain_id": "default"}}}
    if system:
        every[system] = {"auth": user | {"system_scope": "all"}}
    out.mkdir(parents=True, exist_ok=True)
    file = out / "clouds.yaml"
    file.touch(mode=0o600)
    file.write_text(
        json.dumps({"clouds": {key: {**entry, "region_name": "RegionOne"} for key, entry in every.items()}})
    )
    try:
        yield
    finally:
        file.unlink()


def run(label: str, suite: Suite, cloud: Endpoint, given: argparse.Namespace) -> int:
    """The tests that were asked for, with a line each as they come. The exit status of the command."""
    chosen, _ = select(suite.tests(), given.pattern, None)
    tally = Tally([name(test) for test in chosen])
    print(f"{len(chosen)} tests of {label} on {cloud.url} ({cloud.state})", flush=True)
    for line in tally.read(suite.run(chosen, given.workers, given.minutes * 60)):
        print(line, flush=True)
    return report(tally, suite.folder)
