"""Runs python-openstackclient's own functional tests against a cloud: every one is a command line that users type.

    python -m tests.compat.openstackclient                # a new fake cloud; identity's tests
    python -m tests.compat.openstackclient --state DIR 'identity.v3.test_user'

The newest release of the series below is installed, unpatched, on first use, with the parts of tempest that its tests import. Reports go
to `--out`, as `tests/compat/tempest/README.md` says.
"""

import argparse
import json
import os
import sys
from contextlib import ExitStack
from pathlib import Path

from pileus.setup import places
from tests.compat.tempest import environment
from tests.compat.tempest.__main__ import new_cloud, report
from tests.compat.tempest.endpoint import Endpoint
from tests.compat.tempest.suite import Suite, name, select
from tests.compat.tempest.tally import Tally

RELEASE = "10"
TESTS = "openstackclient/tests/functional"
ADMIN, SYSTEM = "pileus-admin", "pileus-system-admin"


def options() -> argparse.Namespace:
    summary, _, rest = (__doc__ or "").partition("\n\n")
    parser = argparse.ArgumentParser(
        prog="python -m tests.compat.openstackclient",
        description=summary,
        epilog=rest,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "pattern", nargs="?", default=r"functional\.identity\.v3", metavar="REGEX", help="tests whose id matches"
    )
    parser.add_argument("--state", type=Path, metavar="DIR", help="the running cloud of this state folder")
    parser.add_argument("--workers", type=int, default=2, metavar="N", help="tests at a time (default 2)")
    parser.add_argument("--minutes", type=float, default=60, metavar="N", help="end after this time (default 60)")
    parser.add_argument(
        "--out", type=Path, default=places.find().cache / "openstackclient", metavar="DIR", help="where reports go"
    )
    return parser.parse_args()


def clouds(url: str, password: str) -> str:
    """The clouds.yaml (JSON is YAML) of an administrator in the project admin, and of one in the system."""
    user = {"auth_url": f"{url}/identity/v3", "username": "admin", "password": password, "user_domain_id": "default"}
    project = user | {"project_name": "admin", "project_domain_id": "default"}
    every = {ADMIN: {"auth": project}, SYSTEM: {"auth": user | {"system_scope": "all"}}}
    return json.dumps({"clouds": {key: {**entry, "region_name": "RegionOne"} for key, entry in every.items()}})


def main() -> int:
    given = options()
    wanted = f"python-openstackclient=={RELEASE}.*", f"tempest=={environment.RELEASE}.*"
    home = environment.install(f"openstackclient-{RELEASE}-tests", *wanted)
    out: Path = given.out.absolute()
    variables = {
        "PATH": f"{home / 'bin'}:{os.environ['PATH']}",
        "OS_ADMIN_CLOUD": ADMIN,
        "OS_SYSTEM_CLOUD": SYSTEM,
        "OS_CLOUD": ADMIN,
    }
    suite = Suite(out, home, TESTS, variables)
    with ExitStack() as stack:
        state = given.state.absolute() if given.state else stack.enter_context(new_cloud(fake=True))
        cloud = Endpoint(state)
        file = out / "clouds.yaml"  # the client looks for it in its working folder
        file.touch(mode=0o600)
        file.write_text(clouds(cloud.url, cloud.password))
        stack.callback(file.unlink)
        chosen, _ = select(suite.tests(), given.pattern, None)
        tally = Tally([name(test) for test in chosen])
        print(f"{len(chosen)} tests of python-openstackclient {RELEASE} on {cloud.url} ({state})", flush=True)
        for line in tally.read(suite.run(chosen, given.workers, given.minutes * 60)):
            print(line, flush=True)
    return report(tally, out)


if __name__ == "__main__":
    sys.exit(main())
