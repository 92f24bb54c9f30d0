"""`up` to the first token: on an empty state folder, and again on what that left. The environment is set up already."""

import os
import resource
import subprocess
import time
from pathlib import Path

from tests.system.installation import REPOSITORY, Installation, Refused

from bench.clouds import folder, last_words
from bench.figures import Figure
from bench.machine import Meter

PATIENCE = 120  # seconds


def measure(runs: int) -> list[Figure]:
    kinds = (("real", ()), ("fake", ("--fake",))) if os.geteuid() == 0 else (("fake", ("--fake",)),)
    figures = []
    for kind, options in kinds:
        starts = [_pair(options) for _ in range(runs)]
        for number, ordinal in enumerate(("first", "second")):
            taken = [pair[number] for pair in starts]
            others = [start.others for start in taken]
            note = f"{kind} drivers"
            name = f"{ordinal} up ({kind}) to"
            aim = 2.0 if ordinal == "second" else None
            figures += [
                Figure(f"{name} first token", "s", [s.token for s in taken], others, aim, note),
                Figure(
                    f"{name} its end (--detach)",
                    "s",
                    [s.returned for s in taken],
                    others,
                    None,
                    "every API and the agent are there",
                ),
                Figure(
                    f"{name} its end, CPU", "s", [s.cpu for s in taken], others, None, "of all its processes together"
                ),
            ]
    return figures


class Start:
    """One `up`: seconds to the first token, to its return, and the CPU seconds that all of it took."""

    def __init__(self, state: Path, options: tuple[str, ...]) -> None:
        cloud = Installation(state)
        before = _children()
        with Meter(state) as meter:
            started = time.monotonic()
            with subprocess.Popen(
                [str(REPOSITORY / "pileus"), "up", "--state", str(state), "--detach", *options],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            ) as command:
                self.token = _first_token(cloud, command, started)
                if command.wait(PATIENCE) != 0:
                    raise RuntimeError(f"`pileus up` ended with status {command.returncode}\n{last_words(state)}")
            self.returned = time.monotonic() - started
        self.cpu = _children() - before + meter.cpu
        self.others = meter.others


def _pair(options: tuple[str, ...]) -> tuple[Start, Start]:
    with folder() as made:
        state = made / "state"
        cloud = Installation(state)
        try:
            first = Start(state, options)
            cloud.pileus("down")
            second = Start(state, options)
        finally:
            cloud.pileus("down", "--all")
    return first, second


def _first_token(cloud: Installation, command: subprocess.Popen[bytes], started: float) -> float:
    while time.monotonic() - started < PATIENCE:
        try:
            cloud.token("admin")
        except (OSError, Refused):  # no secret yet, no listener yet, no user yet
            if command.poll():
                break
            time.sleep(0.02)
        else:
            return time.monotonic() - started
    raise RuntimeError(f"`pileus up` gave no token\n{last_words(cloud.state)}")


def _children() -> float:
    """CPU seconds of ended children and of theirs."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
