"""One dnsmasq process: found by its pid file and its arguments, so that it outlives the agent and is found again."""

import hashlib
import os
import select
import shutil
import signal
from pathlib import Path

from pileus.network.agent.dhcp.render import PID
from pileus.network.agent.namespaces import run_in

_PATIENCE_MS = 3000
_TOLD = "told"  # digest of the files that the daemon has been told to read


class Dnsmasq:
    """The daemon whose files are in `folder`. `alive` is one read of /proc."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def process(self) -> tuple[int, tuple[str, ...]] | None:
        """(pid, arguments) of the running daemon; None when there is none, or the pid is another program's by now."""
        try:
            pid = int((self.folder / PID).read_text())
            arguments = tuple(Path("/proc", str(pid), "cmdline").read_bytes().decode().split("\0")[:-1])
        except (FileNotFoundError, ProcessLookupError, ValueError):
            return None
        return (pid, arguments) if f"--pid-file={self.folder / PID}" in arguments else None

    def alive(self) -> bool:
        return self.process() is not None

    def ensure(self, namespace: str, arguments: tuple[str, ...], files: dict[str, str]) -> None:
        """Running with these arguments and files; restarted when the arguments differ, told when only files do.

        Raises ProgramFailed with dnsmasq's own words when it does not start.
        """
        self.folder.mkdir(mode=0o755, exist_ok=True)
        for name, content in files.items():
            self._write(name, content)
        found = self.process()
        if found is not None and found[1] != arguments:
            self.stop()
            found = None
        digest = hashlib.sha256(repr(sorted(files.items())).encode()).hexdigest()
        if found is None:
            run_in(namespace, arguments)
        elif not self._reads(_TOLD, digest):
            os.kill(found[0], signal.SIGHUP)
        self._write(_TOLD, digest)  # last: an agent that dies in between tells dnsmasq again

    def stop(self) -> None:
        """End the daemon and wait for it; nothing happens when it does not run."""
        found = self.process()
        if found is None:
            return
        try:
            watch = os.pidfd_open(found[0])
        except ProcessLookupError:
            return
        try:
            ended = select.poll()
            ended.register(watch, select.POLLIN)
            for number in (signal.SIGTERM, signal.SIGKILL):
                signal.pidfd_send_signal(watch, number)
                if ended.poll(_PATIENCE_MS):
                    return
        except ProcessLookupError:
            return
        finally:
            os.close(watch)

    def remove(self) -> None:
        """Stop the daemon and remove its folder."""
        self.stop()
        if self.folder.is_dir():
            shutil.rmtree(self.folder)

    def _reads(self, name: str, content: str) -> bool:
        try:
            return (self.folder / name).read_text() == content
        except FileNotFoundError:
            return False

    def _write(self, name: str, content: str) -> None:
        """Replace the file whole, if it differs; dnsmasq reads it as its own user, so anyone may."""
        if self._reads(name, content):
            return
        fresh = self.folder / f".{name}.new"
        fresh.write_text(content)
        fresh.chmod(0o644)
        fresh.replace(self.folder / name)
