"""The small process that libvirtd starts under: it passes on the exit code, adopts orphans, and leaves with the last."""

import subprocess
import sys
import time
from pathlib import Path

from pileus.compute.drivers.libvirt import reaper

SUBREAPER = [sys.executable, "-I", "-S", "-c", Path(reaper.__file__).read_text()]


def run(script: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*SUBREAPER, "sh", "-c", script],
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        timeout=20,
    )


def parent_of(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def until_gone(pid: int, seconds: float = 10.0) -> bool:
    end = time.monotonic() + seconds
    while Path(f"/proc/{pid}").exists():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


def test_the_exit_code_is_the_command_s() -> None:
    assert run("exit 7").returncode == 7
    assert run("exit 0").returncode == 0


def test_an_orphan_is_adopted_and_collected() -> None:
    begin = time.monotonic()
    orphan = int(run("sleep 2 >/dev/null 2>&1 & echo $!").stdout)
    assert time.monotonic() - begin < 1.9  # the command's end is not the orphan's
    reaper = parent_of(orphan)
    assert reaper != 1
    assert "PR_SET_CHILD_SUBREAPER" in Path(f"/proc/{reaper}/cmdline").read_text()
    assert until_gone(orphan)
    assert until_gone(reaper)
