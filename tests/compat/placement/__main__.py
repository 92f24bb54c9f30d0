"""Runs osc-placement's own functional tests against a cloud: every one is a command line that operators type.

    python -m tests.compat.placement                # a new fake cloud; all tests
    python -m tests.compat.placement --state DIR 'test_allocation_candidate'

The newest release of the series below is installed, unpatched, on first use. Its tests would start a placement service each; what they
import for that is `stand_in/`, which names the cloud's endpoint instead. So they share one service and run one after the other. A new
cloud has no resource providers; on a cloud with hosts (`--state`) two tests count those too, and fail.
"""

import os
import sys
from pathlib import Path

from tests.compat import client
from tests.compat.tempest import environment
from tests.compat.tempest.suite import Suite

RELEASE = "4"
TESTS = "osc_placement/tests/functional"
WANTED = (f"osc-placement=={RELEASE}.*", "python-openstackclient", "fixtures", "oslotest", "stestr")
STAND_IN = Path(__file__).with_name("stand_in")


def main() -> int:
    given = client.options("placement", __doc__ or "", minutes=30, alone=True)
    home = environment.install(f"osc-placement-{RELEASE}", *WANTED)
    with client.endpoint(given.state) as cloud:
        if not given.state:  # the tests count what there is, and begin with nothing
            for provider in cloud.get("/placement/resource_providers")["resource_providers"]:
                cloud.delete(f"/placement/resource_providers/{provider['uuid']}")
        variables = {
            "PATH": f"{home / 'bin'}:{os.environ['PATH']}",
            "PYTHONPATH": str(STAND_IN),
            "PILEUS_PLACEMENT": f"{cloud.url}/placement",
            "PILEUS_TOKEN": cloud.token,
        }
        suite = Suite(given.out.absolute(), home, TESTS, variables)
        return client.run(f"osc-placement {RELEASE}", suite, cloud, given)


if __name__ == "__main__":
    sys.exit(main())
