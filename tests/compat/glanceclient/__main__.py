"""Runs python-glanceclient's own functional tests against a cloud: command lines of `glance`, and calls of its library.

    python -m tests.compat.glanceclient                # a new fake cloud; all tests of version 2
    python -m tests.compat.glanceclient --state DIR 'test_http_headers'

The newest release of the series below is installed, unpatched, on first use, with the parts of tempest that its tests import. Its tests of
version 1 are for a client that no longer speaks it. Reports go to `--out`, as `tests/compat/tempest/README.md` says.
"""

import sys
from pathlib import Path

from tests.compat import client
from tests.compat.tempest import environment
from tests.compat.tempest.suite import Suite

RELEASE = "4"
TESTS = "glanceclient/tests/functional/v2"
ADMIN = "devstack-admin"  # the name that the tests look for


def main() -> int:
    given = client.options("glanceclient", __doc__ or "", minutes=20)
    wanted = f"python-glanceclient=={RELEASE}.*", f"tempest=={environment.RELEASE}.*", "openstacksdk"
    home = environment.install(f"glanceclient-{RELEASE}-tests", *wanted)
    out: Path = given.out.absolute()
    suite = Suite(out, home, TESTS, {"OS_GLANCECLIENT_EXEC_DIR": str(home / "bin")})
    with client.endpoint(given.state) as cloud, client.logins(cloud, out, ADMIN):
        return client.run(f"python-glanceclient {RELEASE}", suite, cloud, given)


if __name__ == "__main__":
    sys.exit(main())
