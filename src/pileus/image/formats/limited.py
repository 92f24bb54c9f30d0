"""Run a program under limits of memory, time and file size, listen to it, and stop it when asked to."""

import os
import selectors
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

TICK = 0.2  # seconds between looks at the clock and at `stop`
OUTPUT_BYTES = 64 * 1024 * 1024  # more is no answer to anything


@dataclass(frozen=True)
class Limits:
    """What one call may take: address space in bytes, processor time and elapsed time in seconds.

    `file_bytes` bounds the length of files that it writes, holes included; None is any.
    """

    address_space_bytes: int = 2 * 1024**3
    cpu_seconds: int = 30
    timeout_seconds: float = 120
    file_bytes: int | None = None


class Ended(NamedTuple):
    """A negative `status` is the signal that ended the program."""

    status: int
    stdout: bytes
    stderr: bytes


class TookTooLong(Exception):
    """The elapsed time was over; the program has been killed."""


class Stopped(Exception):
    """`stop` said so; the program has been killed."""


def run(
    command: list[str],
    limits: Limits,
    *,
    hear: Callable[[bytes], None] | None = None,
    stop: Callable[[], bool] | None = None,
) -> Ended:
    """Run `command`; `hear` gets its output piece by piece. Raises FileNotFoundError, `TookTooLong`, `Stopped`."""
    # setpriv lets the program die with this thread, prlimit sets the limits; each becomes the next. A preexec_fn would run
    # Python in a fork of a threaded process.
    bounds = [f"--as={limits.address_space_bytes}", f"--cpu={limits.cpu_seconds}"]
    if limits.file_bytes is not None:
        bounds.append(f"--fsize={limits.file_bytes}")
    pipe = subprocess.PIPE
    environment = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"}
    deadline = time.monotonic() + limits.timeout_seconds
    with subprocess.Popen(
        ["setpriv", "--pdeathsig", "KILL", "prlimit", *bounds, "--", *command],
        stdin=subprocess.DEVNULL,
        stdout=pipe,
        stderr=pipe,
        env=environment,
    ) as process:
        try:
            stdout, stderr = _listen(process, deadline, hear or (lambda _piece: None), stop or (lambda: False))
            return Ended(process.wait(max(deadline - time.monotonic(), TICK)), stdout, stderr)
        except subprocess.TimeoutExpired:
            process.kill()
            raise TookTooLong from None
        except BaseException:
            process.kill()
            raise


def _listen(
    process: subprocess.Popen[bytes], deadline: float, hear: Callable[[bytes], None], stop: Callable[[], bool]
) -> tuple[bytes, bytes]:
    stdout, stderr = bytearray(), bytearray()
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout or -1, selectors.EVENT_READ, stdout)
        selector.register(process.stderr or -1, selectors.EVENT_READ, stderr)
        while selector.get_map():
            for key, _ in selector.select(TICK):
                piece = os.read(key.fd, 65536)
                if not piece:
                    selector.unregister(key.fileobj)
                key.data.extend(piece[: OUTPUT_BYTES - len(key.data)])
                if key.data is stdout:
                    hear(piece)
            if stop():
                raise Stopped
            if time.monotonic() > deadline:
                raise TookTooLong
    return bytes(stdout), bytes(stderr)
