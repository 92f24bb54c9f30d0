"""Where a process of these tests can be made to die or to wait: names for points between two lines of the source.

A file says at which point, at which time that it is passed, and what then: `kill` is SIGKILL to itself, `wait` holds that thread
until the file is gone. The file is renamed by the process that it concerns: only one does what it says.
"""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from functools import wraps
from pathlib import Path
from typing import NamedTuple

import msgspec

from pileus.image.cache import copies
from pileus.image.data import removal, upload
from pileus.image.data.intake import Intake
from pileus.image.drivers.file import FileSink
from pileus.image.formats import limited
from pileus.image.imports import importing, transfer
from pileus.image.imports.fanout import FanOut
from pileus.image.imports.watch import Watch
from pileus.image.plugins import conversion
from pileus.kernel.reconcile import Reconciler

ARM = "arm"


class Point(NamedTuple):
    """Before that attribute of a module or class is called, or after."""

    owner: object
    attribute: str
    after: bool = False


POINTS = {
    # receiving
    "claimed": Point(upload, "_begin", after=True),
    "created": Point(FileSink, "__init__", after=True),
    "writing": Point(FileSink, "write"),
    "written": Point(FileSink, "commit"),
    "committed": Point(FileSink, "commit", after=True),
    "received": Point(upload, "_settle", after=True),
    # importing and copying
    "begun": Point(importing, "_clear_staging"),
    "taking": Point(Intake, "take"),
    "landed": Point(transfer, "land", after=True),
    "targeted": Point(importing, "_target", after=True),
    "converting": Point(limited, "_listen"),
    "converted": Point(conversion, "convert", after=True),
    "storing": Point(FanOut, "write"),
    "finishing": Point(FanOut, "commit"),
    "stored": Point(transfer, "store", after=True),
    "settling": Point(importing, "_settle", after=True),
    "over": Point(Watch, "let_go"),
    "clearing": Point(importing, "remove"),
    "ended": Point(Reconciler, "_settle"),
    # a host's copies
    "copied": Point(copies.Copies, "_copy", after=True),
    "renamed": Point(copies, "changes"),
    # deleting
    "removing": Point(removal, "_remove"),
}


WORK = (Reconciler, "work")


class Order(msgspec.Struct, frozen=True):
    """`time`: 1 is the first time that the point is passed. `number` tells orders apart."""

    point: str
    time: int
    act: str
    number: int


class Follower:
    """Looks for orders at each point."""

    def __init__(self, state: Path) -> None:
        self._file = state / ARM
        self._lock = threading.Lock()
        self._passed: dict[int, int] = {}

    def passes(self, point: str, args: Sequence[object] = ()) -> None:
        try:
            order = msgspec.json.decode(self._file.read_bytes(), type=Order)
        except FileNotFoundError:
            return
        if order.point != point:
            return
        with self._lock:
            passed = self._passed[order.number] = self._passed.get(order.number, 0) + 1
        if passed == order.time:
            for child in args:
                if isinstance(child, subprocess.Popen):
                    self._hold(child)
            self._follow(order)

    def _hold(self, child: subprocess.Popen[bytes]) -> None:
        """The program itself, not what runs before it in the same process: it does not end before this process does."""
        comm, end = Path(f"/proc/{child.pid}/comm"), time.monotonic() + 10
        while comm.read_text().strip() != "qemu-img" and time.monotonic() < end:
            time.sleep(0.0005)
        child.send_signal(signal.SIGSTOP)
        self._file.with_name("child").write_text(str(child.pid))

    def _follow(self, order: Order) -> None:
        mine = self._file.with_name(f"{order.act}-{os.getpid()}")
        try:
            self._file.rename(mine)
        except FileNotFoundError:  # another process was faster
            return
        if order.act == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        while mine.exists():
            time.sleep(0.01)


def install(state: Path) -> None:
    follower = Follower(state)
    noted = _noted(state / f"worked-{os.getpid()}", Reconciler.work)
    for name, point in POINTS.items():
        setattr(point.owner, point.attribute, _watched(follower, name, point))
    setattr(*WORK, noted)


def _noted(file: Path, real: Callable[[Reconciler, str], bool]) -> Callable[[Reconciler, str], bool]:
    """Writes down which rows this process is through with."""

    def work(reconciler: Reconciler, row_id: str) -> bool:
        worked = real(reconciler, row_id)
        with file.open("a") as notes:
            print(row_id, file=notes)
        return worked

    return work


def _watched(follower: Follower, name: str, point: Point) -> Callable[..., object]:
    real = getattr(point.owner, point.attribute)

    @wraps(real)
    def call(*args: object, **more: object) -> object:
        if not point.after:
            follower.passes(name, args)
        result = real(*args, **more)
        if point.after:
            follower.passes(name)
        return result

    return call
