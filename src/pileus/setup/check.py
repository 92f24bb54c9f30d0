"""What ``./pileus test`` runs: the static checks, then the tests."""

import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from pileus.setup import places
from pileus.setup.places import Places
from pileus.setup.progress import duration

USAGE = """usage: ./pileus test [--no-checks] [--fake] [NAME ...] [PYTEST ARGUMENTS]
  NAME         a folder of tests/, such as: ./pileus test identity
  --no-checks  only the tests: no ruff, mypy, import contracts
  --fake       install nothing that takes root
"""
_OWN_OPTIONS = {"--no-checks", "--fake"}


class Check(NamedTuple):
    """A program whose status 0 means that all is well."""

    title: str
    command: Sequence[str]


def static_checks(python: str) -> tuple[Check, ...]:
    """Cheapest first; ``python`` is the interpreter of the environment that holds the tools."""
    contracts = Path(python).with_name("lint-imports")
    return (
        Check("ruff check", [python, "-m", "ruff", "check", "."]),
        Check("ruff format", [python, "-m", "ruff", "format", "--check", "."]),
        Check("import contracts", [str(contracts), "--no-cache"]),
        Check("mypy --strict", [python, "-m", "mypy"]),
    )


def selection(arguments: Sequence[str], tests: Path) -> list[str]:
    """Arguments for pytest: the name of a folder of ``tests`` stands for that folder."""
    rest = [argument for argument in arguments if argument not in _OWN_OPTIONS]
    return [f"tests/{word}" if word.isidentifier() and (tests / word).is_dir() else word for word in rest]


def caches(here: Places) -> dict[str, str]:
    """Settings that keep the tools' caches out of a clone that this user may not write to."""
    if os.access(here.clone, os.W_OK):
        return {}
    return {
        "MYPY_CACHE_DIR": str(here.cache / "mypy"),
        "RUFF_CACHE_DIR": str(here.cache / "ruff"),
        "PYTEST_ADDOPTS": f"-o cache_dir={here.cache / 'pytest'}",
    }


def run_quietly(check: Check, clone: Path, environment: Mapping[str, str]) -> bool:
    """Run one check, print its title and time, and what it said if it failed."""
    started = time.monotonic()
    print(f"{check.title:<18}", end="", flush=True)
    done = subprocess.run(
        check.command, cwd=clone, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    print(f"{'ok' if done.returncode == 0 else 'FAILED'} in {duration(time.monotonic() - started)}", flush=True)
    if done.returncode:
        print(done.stdout + done.stderr, flush=True)
    return done.returncode == 0


def main(arguments: Sequence[str]) -> int:
    """Every check runs, whatever the earlier ones said; status 0 only if all of them and the tests passed."""
    if {"-h", "--help"} & set(arguments):
        print(USAGE, end="")
        return 0
    here = places.find()
    environment = {**os.environ, **caches(here)}
    checks = () if "--no-checks" in arguments else static_checks(sys.executable)
    failed = [check.title for check in checks if not run_quietly(check, here.clone, environment)]
    started = time.monotonic()
    pytest = [sys.executable, "-m", "pytest", *selection(arguments, here.clone / "tests")]
    if subprocess.run(pytest, cwd=here.clone, env=environment, check=False).returncode:
        failed.append("tests")
    print(f"{'tests':<18}{duration(time.monotonic() - started)}")
    print(f"FAILED: {', '.join(failed)}" if failed else "all passed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
