"""`python -c <this file> COMMAND…`: run a daemonizing command and adopt what it leaves, so that ended guests are gone at once.

A qemu belongs to nobody once libvirt has started it: the machine's first process inherits it and has to collect it when it
ends. Where that is no init system but some container's entry point, this takes seconds, and libvirt waits for it in every
stop. Here a small process takes that place (prctl(2), PR_SET_CHILD_SUBREAPER) and leaves when its last descendant has.
The exit code, and the return, are those of COMMAND. A script of its own: it is to stay small.
"""

import ctypes
import os
import sys

PR_SET_CHILD_SUBREAPER = 36


def adopt(command: list[str], report: int) -> None:
    """Start `command`, write its exit code (one byte) to `report`, then collect children until none is left."""
    os.setsid()
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    started = os.posix_spawnp(command[0], command, os.environ)
    _, status = os.waitpid(started, 0)
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nothing, stream)
    os.write(report, bytes([os.waitstatus_to_exitcode(status) & 0xFF]))
    os.close(report)
    while True:
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return


def main(command: list[str]) -> int:
    read, write = os.pipe()
    if os.fork() == 0:
        os.close(read)
        try:
            adopt(command, write)
        finally:
            os._exit(0)
    os.close(write)
    code = os.read(read, 1)
    return code[0] if code else 127


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
