"""How long this host runs and how busy it is, from /proc: the line that `uptime` prints, and metrics by upstream's names."""

import logging
import struct
import time
from pathlib import Path

from pileus.compute.hosts.wire import HostLoad
from pileus.kernel import clock

log = logging.getLogger(__name__)
USER_PROCESS, ENTRY = 7, 384  # of utmp(5): a login's record begins with its type
NANOSECONDS = 10_000_000  # in a tick of /proc/stat
PARTS = {"user": (0, 1), "kernel": (2, 5, 6), "idle": (3,), "iowait": (4,)}  # columns of /proc/stat


class Load:
    """`look` compares with the look before: the first one compares with the start of the machine."""

    def __init__(self, proc: Path = Path("/proc"), logins: Path = Path("/run/utmp"), every: float = 5) -> None:
        self._proc = proc
        self._logins = logins
        self._every = every
        self._due = 0.0
        self._before = dict.fromkeys(PARTS, 0)

    def news(self) -> HostLoad | None:
        """None less than `every` seconds after the last, for so short a time says nothing; and where the machine does not tell."""
        if time.monotonic() < self._due:
            return None
        self._due = time.monotonic() + self._every
        try:
            return self.look()
        except (OSError, ValueError, IndexError) as error:
            log.warning("the load of this host can not be read: %s", error)
            return None

    def look(self) -> HostLoad:
        return HostLoad(self._uptime(), self._metrics())

    def _uptime(self) -> str:
        minutes = int(float((self._proc / "uptime").read_text().split()[0])) // 60
        days, hours = divmod(minutes // 60, 24)
        since = f"{days} day{'s' if days > 1 else ''}, " if days else ""
        since += f"{hours}:{minutes % 60:02}" if hours else f"{minutes % 60} min"
        users, load = self._users(), ", ".join((self._proc / "loadavg").read_text().split()[:3])
        return f" {clock.now():%H:%M:%S} up {since},  {users} user{'' if users == 1 else 's'},  load average: {load}"

    def _users(self) -> int:
        try:
            held = self._logins.read_bytes()
        except OSError:
            return 0  # a machine that keeps no record of logins
        types = (struct.unpack_from("h", held, at)[0] for at in range(0, len(held) - ENTRY + 1, ENTRY))
        return sum(kind == USER_PROCESS for kind in types)

    def _metrics(self) -> dict[str, float]:
        """`cpu.<part>.time` in nanoseconds since the start, `cpu.<part>.percent` from 0 to 1 since the last look."""
        ticks = [int(word) for word in (self._proc / "stat").read_text().split("\n", 1)[0].split()[1:]]
        now = {part: sum(ticks[column] for column in columns) for part, columns in PARTS.items()}
        passed = {part: now[part] - self._before[part] for part in PARTS}
        self._before, every = now, max(1, sum(passed.values()))
        found: dict[str, float] = {f"cpu.{part}.time": now[part] * NANOSECONDS for part in PARTS}
        found |= {f"cpu.{part}.percent": round(passed[part] / every, 4) for part in PARTS}
        found["cpu.percent"] = round((passed["user"] + passed["kernel"]) / every, 4)
        return found | self._frequency()

    def _frequency(self) -> dict[str, float]:
        """In MHz, where the machine tells it."""
        for line in (self._proc / "cpuinfo").read_text().splitlines():
            name, _, value = line.partition(":")
            if name.strip() == "cpu MHz":
                return {"cpu.frequency": float(value)}
        return {}
