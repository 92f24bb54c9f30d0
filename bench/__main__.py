"""The command: parts by name, all of them without any; a table of each as soon as it is there."""

import argparse
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from tests.system.installation import REPOSITORY

from bench import boots, identity, images, memory, operations, placement, starts, upstream
from bench.clouds import surroundings
from bench.figures import Figure, table
from bench.machine import load

PARTS: dict[str, Callable[[int], list[Figure]]] = {
    "start": starts.measure,
    "memory": memory.measure,
    "boot": boots.measure,
    "operations": operations.measure,
    "identity": identity.measure,
    "placement": placement.measure,
    "images": images.measure,
}
UPSTREAM = "upstream"


def main() -> int:
    options = _options()
    failed = []
    until = time.monotonic() + options.within
    print(_heading(), flush=True)
    subprocess.run([str(REPOSITORY / "pileus"), "setup"], check=True, stdout=sys.stderr)
    with surroundings():
        for name in options.parts or [*PARTS, *([UPSTREAM] if options.driver else [])]:
            before, started = load(), time.monotonic()
            print(f"\n## {name}\n", flush=True)
            if started > until:
                print(f"Not run: {options.within} s are over.")
                continue
            try:
                if name == UPSTREAM:
                    text = upstream.measure(options.driver, options.runs, until - started)
                else:
                    text = table(PARTS[name](options.runs))
            except (RuntimeError, AssertionError, OSError, subprocess.SubprocessError) as error:
                failed.append(name)
                text = f"Failed: {error}"
            print(f"{text}\n\nTook {time.monotonic() - started:.0f} s; {before} before, {load()} after.", flush=True)
    return 1 if failed else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"{', '.join([*PARTS, UPSTREAM])} (default: all)")
    parser.add_argument("--runs", type=int, default=3, help="runs that each median is of (default 3)")
    parser.add_argument(
        "--within", type=float, default=900, metavar="SECONDS", help="no part starts later than this (default 900)"
    )
    given = os.environ.get("PILEUS_BENCH_DRIVER")
    parser.add_argument(
        "--driver",
        type=Path,
        default=Path(given) if given else None,
        metavar="BENCH.PY",
        help="the program that measured upstream, for the part `upstream` (default: $PILEUS_BENCH_DRIVER)",
    )
    options = parser.parse_args()
    for name in options.parts:
        if name not in (*PARTS, UPSTREAM):
            parser.error(f"no part {name!r}")
    if UPSTREAM in options.parts and options.driver is None:
        parser.error("the part `upstream` needs --driver")
    if options.driver is not None and not options.driver.is_file():
        parser.error(f"--driver: no file {options.driver}")
    return options


def _heading() -> str:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"# Pileus on {os.cpu_count()} cores, {memory:.0f} GiB, Linux {platform.release()}, Python {platform.python_version()}; {load()}"


if __name__ == "__main__":
    sys.exit(main())
