"""Running a program as part of a step."""

import os
import subprocess
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path

from pileus.setup.progress import Step

_TAIL = 20  # lines of output that a failure shows


class CommandFailed(Exception):
    """A program ended with a status other than 0; ``tail`` is the end of what it printed."""

    def __init__(self, command: Sequence[str], status: int, tail: str) -> None:
        super().__init__(f"`{' '.join(command)}` ended with status {status}:\n{tail}")
        self.tail = tail


def run(
    command: Sequence[str], step: Step, environment: Mapping[str, str] | None = None, cwd: Path | None = None
) -> None:
    """Run to the end without input, passing each line of output to ``step``; raises CommandFailed."""
    tail: deque[str] = deque(maxlen=_TAIL)
    with subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        env={**os.environ, **(environment or {})},
        cwd=cwd,
        close_fds=False,  # the lock of pileus.setup.locking is meant to be inherited
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if line.strip():
                step.say(line)
                tail.append(line)
    if process.returncode:
        raise CommandFailed(command, process.returncode, "".join(tail))
