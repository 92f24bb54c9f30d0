"""Runs python-openstackclient's own functional tests against a cloud: every one is a command line that users type.

    python -m tests.compat.openstackclient                # a new fake cloud; the tests of identity and images
    python -m tests.compat.openstackclient --state DIR 'identity.v3.test_user'

The newest release of the series below is installed, unpatched, on first use, with the parts of tempest that its tests import. Reports go
to `--out`, as `tests/compat/tempest/README.md` says.
"""

import os
import sys
from pathlib import Path

from tests.compat import client
from tests.compat.tempest import environment
from tests.compat.tempest.suite import Suite

RELEASE = "10"
TESTS = "openstackclient/tests/functional"
ADMIN, SYSTEM = "pileus-admin", "pileus-system-admin"
CHOSEN = r"functional\.(identity\.v3|image)"


def main() -> int:
    given = client.options("openstackclient", __doc__ or "", pattern=CHOSEN)
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
    with client.endpoint(given.state) as cloud, client.logins(cloud, out, ADMIN, SYSTEM):
        return client.run(f"python-openstackclient {RELEASE}", suite, cloud, given)


if __name__ == "__main__":
    sys.exit(main())
