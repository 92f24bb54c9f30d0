"""Runs osc-placement's own functional tests against a cloud: every one is a command line that operators type.

    python -m tests.compat.placement                # a new fake cloud; all tests
    python -m tests.compat.placement --state DIR 'test_allocation_candidate'

The newest release of the series below is installed, unpatched, on first use. Its tests would start a placement service each; what they
import for that is `stand_in/`, which names the cloud's endpoint instead. So they share one service and run one after the other. A new
cloud has no resource providers; on a cloud with hosts (`--state`) two tests count those too, and fail.
"""

import argparse
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

RELEASE = "4"
TESTS = "osc_placement/tests/functional"
WANTED = (f"osc-placement=={RELEASE}.*", "python-openstackclient", "fixtures", "oslotest", "stestr")
STAND_IN = Path(__file__).with_name("stand_in")


def options() -> argparse.Namespace:
    summary, _, rest = (__doc__ or "").partition("\n\n")
    parser = argparse.ArgumentParser(
        prog="python -m tests.compat.placement",
        description=summary,
        epilog=rest,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("pattern", nargs="?", metavar="REGEX", help="tests whose id matches (default: all)")
    parser.add_argument("--state", type=Path, metavar="DIR", help="the running cloud of this state folder")
    parser.add_argument("--minutes", type=float, default=30, metavar="N", help="end after this time (default 30)")
    parser.add_argument(
        "--out", type=Path, default=places.find().cache / "osc-placement", metavar="DIR", help="where reports go"
    )
    return parser.parse_args()


def main() -> int:
    given = options()
    home = environment.install(f"osc-placement-{RELEASE}", *WANTED)
    out: Path = given.out.absolute()
    with ExitStack() as stack:
        state = given.state.absolute() if given.state else stack.enter_context(new_cloud(fake=True))
        cloud = Endpoint(state)
        if not given.state:  # the tests count what there is, and begin with nothing
            for provider in cloud.get("/placement/resource_providers")["resource_providers"]:
                cloud.delete(f"/placement/resource_providers/{provider['uuid']}")
        variables = {
            "PATH": f"{home / 'bin'}:{os.environ['PATH']}",
            "PYTHONPATH": str(STAND_IN),
            "PILEUS_PLACEMENT": f"{cloud.url}/placement",
            "PILEUS_TOKEN": cloud.token,
        }
        suite = Suite(out, home, TESTS, variables)
        chosen, _ = select(suite.tests(), given.pattern, None)
        tally = Tally([name(test) for test in chosen])
        print(f"{len(chosen)} tests of osc-placement {RELEASE} on {cloud.url} ({state})", flush=True)
        for line in tally.read(suite.run(chosen, 1, given.minutes * 60)):
            print(line, flush=True)
    return report(tally, out)


if __name__ == "__main__":
    sys.exit(main())
