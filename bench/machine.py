"""What the kernel says of processes: whose they are, their CPU time, their memory; and what others do meanwhile."""

import os
import re
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Process:
    """`name` is the kernel's (15 bytes, roles set it), `cpu` is in seconds, of the process alone."""

    pid: int
    parent: int
    name: str
    command: str
    mounts: str
    cpu: float


def processes() -> dict[int, Process]:
    found = {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            name, _, rest = (entry / "stat").read_text().partition("(")[2].rpartition(")")
            fields = rest.split()
            command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            mounts = (entry / "mountinfo").read_text(errors="replace")
        except OSError:
            continue
        pid = int(entry.name)
        found[pid] = Process(pid, int(fields[1]), name, command, mounts, (int(fields[11]) + int(fields[12])) / TICKS)
    return found


def of_cloud(state: Path) -> dict[int, Process]:
    """The processes of the cloud on this state folder: those that name it, have it mounted (libvirt's daemon), or come from such.

    Guests are among them.
    """
    everything = processes()
    place = f"{state.parent.name}/{state.name}"
    ours = {pid for pid, process in everything.items() if place in process.command or place in process.mounts}
    return {pid: everything[pid] for pid in _below(everything, ours - {os.getpid()})}


def _below(everything: dict[int, Process], roots: set[int]) -> set[int]:
    found = set(roots)
    while more := {pid for pid, process in everything.items() if process.parent in found} - found:
        found |= more
    return found


def pss(pid: int) -> float:
    """Proportional set size in MB; 0 of a process that ended."""
    try:
        match = re.search(r"^Pss:\s+(\d+) kB", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.MULTILINE)
    except OSError:
        return 0
    return int(match[1]) / 1024 if match else 0


def load() -> str:
    return f"load {os.getloadavg()[0]:.1f}"


def _busy() -> float:
    """CPU seconds of the whole machine."""
    fields = [int(word) for word in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]]
    return (sum(fields[:3]) + sum(fields[5:7])) / TICKS


def _own() -> float:
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


class Meter:
    """Over a `with` block: `wall` and `cpu` (of the cloud) in seconds, `others` in cores used by neither cloud nor benchmark."""

    def __init__(self, state: Path) -> None:
        self.state = state
        self.wall = self.cpu = self.others = 0.0

    def __enter__(self) -> Self:
        self._start = time.monotonic(), _busy(), _own(), {pid: p.cpu for pid, p in of_cloud(self.state).items()}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        started, busy, own, before = self._start
        after = {pid: p.cpu for pid, p in of_cloud(self.state).items()}
        self.wall = time.monotonic() - started
        self.cpu = sum(max(0.0, cpu - before.get(pid, 0)) for pid, cpu in after.items())
        self.others = max(0.0, _busy() - busy - self.cpu - (_own() - own)) / max(self.wall, 0.01)


class Cost:
    """Of a `with` block: `wall` and `cpu` in seconds, this process' included; `others` as Meter has it."""

    def __init__(self, state: Path) -> None:
        self._meter = Meter(state)

    def __enter__(self) -> Self:
        self._meter.__enter__()
        self._own, self._started = time.process_time(), time.monotonic()
        return self

    def __exit__(self, *raised: object) -> None:
        self.wall, own = time.monotonic() - self._started, time.process_time() - self._own
        self._meter.__exit__(None, None, None)
        self.cpu, self.others = own + self._meter.cpu, self._meter.others
