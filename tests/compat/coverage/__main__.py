"""Lists every operation of a service's public API: is it there, under which rule, called by which test. Ends with 1 when any is missing.

The tests of the service run first, but for those that boot guests, and are watched (`--last`: as they ran the last time). A call
counts as a test of the operation when it succeeded; HEAD is the GET without its body, and counts with it.
"""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

from pileus.composition import SERVICES
from tests.compat.coverage.recorder import DEFAULT
from tests.compat.coverage.rows import LISTS, rows
from tests.compat.coverage.table import Calls, Found, table

REPOSITORY = Path(__file__).parents[3]
LISTED = sorted(path.stem for path in LISTS.glob("*.tsv"))


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.compat.coverage", description=__doc__)
    parser.add_argument("service", nargs="?", default="identity", choices=[m.name for m in SERVICES])
    parser.add_argument(
        "--operations", type=Path, metavar="FILE", help=f"another list (there are: {', '.join(LISTED)})"
    )
    parser.add_argument("--last", action="store_true", help="do not run the tests, read what they called the last time")
    parser.add_argument("--missing", action="store_true", help="only the rows that lack something")
    return parser.parse_args()


def run_tests(service: str, calls: Path) -> bool:
    """Did they pass?"""
    paths = os.pathsep.join([str(REPOSITORY / "src"), str(REPOSITORY)])
    command = [sys.executable, "-m", "pytest", "-m", "not system", f"tests/{service}"]
    watched = ["-p", "tests.compat.coverage.recorder", "--calls", str(calls)]
    given = os.environ | {"PYTHONPATH": paths}
    done = subprocess.run([*command, *watched], cwd=REPOSITORY, env=given, check=False)
    return done.returncode == 0


def line(found: Found) -> str:
    row = found.row
    there = "as GET" if found.head and found.route else "yes" if found.route else "405" if row.refused else "NO"
    tests = f"{len(found.tests)}: {found.tests[0]}" if found.tests else "NONE"
    needed = "" if row.wanted else "not wanted"
    return "\t".join((row.method, row.path, there, ", ".join(found.rules) or "NONE", tests, needed)).rstrip()


def main() -> int:
    given = options()
    calls = REPOSITORY / DEFAULT.parent / f"calls-{given.service}.json"
    passed = given.last or run_tests(given.service, calls)
    if not calls.exists():
        raise SystemExit("No record of what the tests called: run without --last.")
    noted: Calls = json.loads(calls.read_text())
    manifest = next(m for m in SERVICES if m.name == given.service)
    found = table(manifest, rows(given.service, given.operations), noted)
    lacking = [one for one in found if one.row.wanted and one.lacks]
    sys.stdout.write("method\tpath\tthere\trule\ttests\n")
    for one in lacking if given.missing else found:
        sys.stdout.write(line(one) + "\n")
    wanted = sum(one.row.wanted for one in found)
    sys.stdout.write(
        f"{len(found)} operations, {wanted} wanted: "
        f"{sum(bool(one.missing) for one in lacking)} not there or without rule, "
        f"{sum(not one.tests for one in lacking)} without a test that calls them.\n"
    )
    return 1 if lacking or not passed else 0


if __name__ == "__main__":
    raise SystemExit(main())
