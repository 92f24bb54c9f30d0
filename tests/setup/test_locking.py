import subprocess
import sys
import time
from pathlib import Path

from pileus.setup.commands import run
from pileus.setup.locking import exclusive
from pileus.setup.progress import step

HOLDER = """
import sys, time
from pathlib import Path
from pileus.setup.locking import exclusive
with exclusive(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def holder(library: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen([sys.executable, "-c", HOLDER, str(library)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_a_second_setup_waits_and_says_so_and_a_killed_one_blocks_nobody(tmp_path: Path) -> None:
    with holder(tmp_path) as first:
        second = subprocess.Popen(
            [sys.executable, "-c", HOLDER, str(tmp_path)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        with second:
            assert second.stderr is not None
            assert second.stdout is not None
            assert "another pileus command" in second.stderr.readline()
            first.kill()
            assert second.stdout.readline() == "held\n"
            second.kill()


def test_what_a_setup_started_holds_the_lock_after_it(tmp_path: Path) -> None:
    with exclusive(tmp_path), step("starts one that stays") as current:
        run(["sh", "-c", "sleep 0.5 >/dev/null 2>&1 &"], current)
    freed = time.monotonic()
    with exclusive(tmp_path):
        assert time.monotonic() - freed > 0.3
