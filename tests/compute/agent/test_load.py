"""The host's uptime and metrics, read from files of a made-up /proc."""

import re
import struct
from pathlib import Path

import pytest

from pileus.compute.agent.load import ENTRY, Load

# How clients take the line apart: time, time up, users, load average.
LINE = re.compile(r"\s*(.+)\sup\s+(.+),\s+(.+)\susers?,\s+load average:\s(.+)")


@pytest.fixture
def proc(tmp_path: Path) -> Path:
    (tmp_path / "uptime").write_text("93784.05 1000.00\n")
    (tmp_path / "loadavg").write_text("0.20 0.12 0.14 1/200 4242\n")
    (tmp_path / "stat").write_text("cpu  100 20 30 800 40 5 5 0 0 0\ncpu0 1 2 3 4 5 6 7 0 0 0\n")
    (tmp_path / "cpuinfo").write_text("processor\t: 0\ncpu MHz\t\t: 2600.000\nprocessor\t: 1\ncpu MHz\t\t: 1300.000\n")
    return tmp_path


def login(kind: int) -> bytes:
    return struct.pack("h", kind).ljust(ENTRY, b"\0")


def test_uptime(proc: Path) -> None:
    (proc / "utmp").write_bytes(login(2) + login(7) + login(7) + login(8))
    found = LINE.match(Load(proc, proc / "utmp").look().uptime)
    assert found is not None
    assert found.groups()[1:] == ("1 day, 2:03", "2", "0.20, 0.12, 0.14")


@pytest.mark.parametrize(
    ("seconds", "since"), [(59, "0 min"), (3599, "59 min"), (3600, "1:00"), (172_800, "2 days, 0 min")]
)
def test_how_long(proc: Path, seconds: int, since: str) -> None:
    (proc / "uptime").write_text(f"{seconds}.00 0.00\n")
    assert f" up {since},  0 users," in Load(proc, proc / "no-such-file").look().uptime


def test_metrics_are_of_the_time_since_the_last_look(proc: Path) -> None:
    load = Load(proc)
    first = load.look().metrics
    assert first["cpu.user.percent"] == 0.12 and first["cpu.idle.percent"] == 0.8
    assert first["cpu.user.time"] == 1_200_000_000 and first["cpu.frequency"] == 2600.0
    (proc / "stat").write_text("cpu  150 20 60 800 60 5 5 0 0 0\n")
    second = load.look().metrics
    assert second["cpu.user.percent"] == 0.5 and second["cpu.kernel.percent"] == 0.3
    assert second["cpu.percent"] == 0.8 and second["cpu.idle.percent"] == 0 and second["cpu.iowait.percent"] == 0.2
    assert load.look().metrics["cpu.percent"] == 0, "nothing has passed"


def test_a_machine_that_tells_no_frequency(proc: Path) -> None:
    (proc / "cpuinfo").write_text("processor\t: 0\n")
    assert "cpu.frequency" not in Load(proc).look().metrics


def test_news_come_at_intervals_and_a_machine_that_tells_nothing_breaks_nothing(proc: Path) -> None:
    load = Load(proc)
    assert load.news() is not None and load.news() is None
    eager = Load(proc, every=0)
    assert eager.news() is not None and eager.news() is not None
    (proc / "stat").write_text("")
    assert eager.news() is None
    (proc / "stat").unlink()
    assert eager.news() is None


def test_this_machine() -> None:
    found = Load().look()
    assert LINE.match(found.uptime) and 0 <= found.metrics["cpu.percent"] <= 1
