"""Ending a process for certain, without touching another that took its number."""

import os
import select
import signal


def end_process(pid: int, kill_after: float = 10.0, first: signal.Signals = signal.SIGTERM) -> None:
    """Send `first`, wait until the process is gone, send SIGKILL after `kill_after` seconds. A gone process is fine."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        for number, seconds in ((first, kill_after), (signal.SIGKILL, 10.0)):
            signal.pidfd_send_signal(handle, number)
            if select.select([handle], [], [], seconds)[0]:
                return
    except ProcessLookupError:
        return
    finally:
        os.close(handle)
