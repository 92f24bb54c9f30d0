"""What an idle cloud takes: proportional set size by role, and CPU."""

import os
import time
from collections import defaultdict
from pathlib import Path

from bench.clouds import cloud
from bench.figures import Figure
from bench.machine import Meter, of_cloud, pss
from bench.operations import drive, log_in

SETTLE = 6  # seconds after `up` returned
AFTERWARDS = 1  # second after the logins
AIM = 250  # MB
WATCH = 4  # seconds of idling that are looked at
APART = ("libvirtd", "qemu")  # neither is Pileus; both are listed


def measure(runs: int) -> list[Figure]:
    """Of the real cloud where root runs this, else of one of fakes."""
    return _of(() if os.geteuid() == 0 else ("--fake",), runs)


def _of(options: tuple[str, ...], runs: int) -> list[Figure]:
    by_role: dict[str, list[float]] = defaultdict(list)
    fresh, used, others, cpu = [], [], [], []
    for _ in range(runs):
        with cloud(*options) as running:
            time.sleep(SETTLE)
            with Meter(running.state) as meter:
                time.sleep(WATCH)
            fresh.append(_together(_by_role(running.state)))
            drive(running, log_in(running), 8, 1.0)
            time.sleep(AFTERWARDS)
            taken = _by_role(running.state)
        for role, size in taken.items():
            by_role[role].append(size)
        used.append(_together(taken))
        others.append(meter.others)
        cpu.append(100 * meter.cpu / meter.wall)
    kind = "fake" if options else "real"
    note = f"without {' and '.join(APART)}; no server there"
    return [
        Figure(f"{kind}: all roles after the start, PSS", "MB", fresh, others, AIM, note),
        Figure(f"{kind}: all roles after logins, eight at once, PSS", "MB", used, others, AIM, note),
        *(Figure(f"{kind}: {role} after those, PSS", "MB", sizes, others) for role, sizes in sorted(by_role.items())),
        Figure(f"{kind}: CPU while idle, after the start", "% of a core", cpu, others),
    ]


def _by_role(state: Path) -> dict[str, float]:
    taken: dict[str, float] = defaultdict(float)
    for pid, process in of_cloud(state).items():
        taken[_role(process.name, process.command)] += pss(pid)
    return taken


def _together(taken: dict[str, float]) -> float:
    return sum(size for role, size in taken.items() if not role.startswith(APART))


def _role(name: str, command: str) -> str:
    """Roles carry their name; what they start is known by its program. The kernel cuts names to 15 bytes."""
    if "PR_SET_CHILD_SUBREAPER" in command:
        return "libvirtd's keeper"
    if "metadata.proxy" in command:
        return "metadata proxy"
    return {"pileus-reconcil": "pileus-reconcile"}.get(name, "pileus-supervisor" if name.startswith("python") else name)
