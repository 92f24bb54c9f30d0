"""What an idle cloud takes: proportional set size by role, and CPU."""

import os
import time
from collections import defaultdict

from bench.clouds import cloud
from bench.figures import Figure
from bench.machine import Meter, of_cloud, pss

SETTLE = 8  # seconds after `up` returned
WATCH = 5  # seconds of idling that are looked at
APART = ("libvirtd", "qemu")  # neither is Pileus; both are listed


def measure(runs: int) -> list[Figure]:
    kinds = ((), ("--fake",)) if os.geteuid() == 0 else (("--fake",),)
    return [figure for options in kinds for figure in _of(options, runs)]


def _of(options: tuple[str, ...], runs: int) -> list[Figure]:
    by_role: dict[str, list[float]] = defaultdict(list)
    totals, others, cpu = [], [], []
    for _ in range(runs):
        with cloud(*options) as running:
            time.sleep(SETTLE)
            with Meter(running.state) as meter:
                time.sleep(WATCH)
            taken: dict[str, float] = defaultdict(float)
            for pid, process in of_cloud(running.state).items():
                taken[_role(process.name, process.command)] += pss(pid)
        for role, size in taken.items():
            by_role[role].append(size)
        totals.append(sum(size for role, size in taken.items() if not role.startswith(APART)))
        others.append(meter.others)
        cpu.append(100 * meter.cpu / meter.wall)
    kind = "fake" if options else "real"
    figures = [
        Figure(f"{kind}: all roles, PSS", "MB", totals, others, 250, f"without {' and '.join(APART)}; no server there")
    ]
    figures += [Figure(f"{kind}: {role}, PSS", "MB", sizes, others) for role, sizes in sorted(by_role.items())]
    return [*figures, Figure(f"{kind}: CPU while idle", "% of a core", cpu, others)]


def _role(name: str, command: str) -> str:
    if "PR_SET_CHILD_SUBREAPER" in command:
        return "libvirtd's keeper"
    return "pileus-supervisor" if name.startswith("python") else name
