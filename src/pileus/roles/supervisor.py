"""The supervisor: loads everything once, forks the roles from itself, starts a role again when it ends.

Forking after the imports is what makes a start quick and the roles small: they share the loaded code's pages. The listening sockets are the
supervisor's, so requests wait in their backlog while an API process is being replaced.
"""

import asyncio
import ctypes
import gc
import logging
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvloop

from pileus.composition import compose
from pileus.kernel.bus.local import LocalBus
from pileus.kernel.config import Config
from pileus.roles import agent, api, prepare, reconcile
from pileus.roles.state import drop_privileges, owner_of_roles

PR_SET_PDEATHSIG = 1
M_MMAP_THRESHOLD = -3
M_TRIM_THRESHOLD = -1
GRACE = 10  # seconds a role has to end by itself
log = logging.getLogger(__name__)


@dataclass
class Role:
    """One process to keep alive. `privileged` keeps root, when there is root."""

    name: str
    main: Callable[[], Coroutine[Any, Any, None]]
    privileged: bool = False
    pid: int = 0
    started: float = 0
    failures: int = 0


class Supervisor:
    def __init__(self, conf: Config, host: str) -> None:
        self.conf = conf
        self.host = host
        self.owner = owner_of_roles(conf.cloud.user)
        self.listener = listen(conf.cloud.listen)
        self.metadata = listen(conf.cloud.metadata_listen)
        self.roles = [
            Role("reconcile", self._reconcile),
            *(Role(f"api-{n}" if n else "api", self._api) for n in range(conf.cloud.api_workers)),
            Role("agent", self._agent, privileged=not self.fake),
        ]

    @property
    def fake(self) -> bool:
        return self.conf.cloud.hypervisor == "fake" and self.conf.cloud.network_mechanism == "fake"

    def prepare(self, guest_image: Path) -> None:
        """Migrations and seeds in a child of the roles' user. Raises SystemExit with the reason when it fails."""

        async def work() -> None:
            prepare.prepare(compose(self.conf, self._bus()), guest_image)

        pid = self._fork(Role("prepare", work))
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        if status != 0:
            raise SystemExit(f"pileus: preparing the database failed; see {self._log('prepare')}")

    def run(self, ready: Callable[[], None]) -> None:
        """Keep the roles alive until SIGTERM or SIGINT; `ready` is called once all have been started."""
        watched = {signal.SIGCHLD, signal.SIGTERM, signal.SIGINT}
        signal.pthread_sigmask(signal.SIG_BLOCK, watched)
        gc.collect()
        gc.freeze()
        # Large blocks (Argon2's 19 MiB) go back to the system when they are free, instead of staying with a thread's arena; the
        # blocks of images on their way stay below both bounds: giving each back would cost more than hashing it.
        libc = ctypes.CDLL(None)
        libc.mallopt(M_MMAP_THRESHOLD, 2 << 20)
        libc.mallopt(M_TRIM_THRESHOLD, 4 << 20)
        for role in self.roles:
            self._start(role)
        ready()
        while True:
            got = signal.sigtimedwait(watched, 1.0)
            if got is not None and got.si_signo != signal.SIGCHLD:
                break
            self._reap()
        self._stop()

    def _reap(self) -> None:
        for role in self.roles:
            if role.pid and os.waitpid(role.pid, os.WNOHANG) != (0, 0):
                log.warning("role %s ended after %.1f s", role.name, time.monotonic() - role.started)
                role.failures = role.failures + 1 if time.monotonic() - role.started < 5 else 0
                role.pid = 0
            if not role.pid and time.monotonic() - role.started >= min(10, role.failures):
                self._start(role)

    def _start(self, role: Role) -> None:
        role.started = time.monotonic()
        role.pid = self._fork(role)
        (self.conf.state / "run" / f"{role.name}.pid").write_text(f"{role.pid}\n")

    def _stop(self) -> None:
        for role in self.roles:
            if role.pid:
                os.kill(role.pid, signal.SIGTERM)
        deadline = time.monotonic() + GRACE
        for role in self.roles:
            while role.pid and os.waitpid(role.pid, os.WNOHANG) == (0, 0):
                if time.monotonic() > deadline:
                    os.kill(role.pid, signal.SIGKILL)
                time.sleep(0.02)
            (self.conf.state / "run" / f"{role.name}.pid").unlink(missing_ok=True)

    def _fork(self, role: Role) -> int:
        parent = os.getpid()
        pid = os.fork()
        if pid:
            return pid
        status = 1
        try:
            self._become(role, parent)
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                runner.run(role.main())
            status = 0
        except BaseException:
            log.exception("role %s", role.name)
        finally:
            sys.stderr.flush()
            os._exit(status)

    def _become(self, role: Role, parent: int) -> None:
        """In the child: die with the supervisor, log to the role's file, give up what the role does not need."""
        gc.enable()
        for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, set())
        output = os.open(self._log(role.name), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o640)
        os.dup2(output, 1)
        os.dup2(output, 2)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        if not role.privileged:
            drop_privileges(self.owner)
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)  # only now: a change of user undoes it
        if os.getppid() != parent:
            raise SystemExit("the supervisor is gone already")
        title = f"pileus-{role.name}".encode()[:15]
        ctypes.CDLL(None).prctl(15, title)
        logging.basicConfig(
            level=logging.INFO,
            format=f"%(asctime)s {role.name} %(levelname)s %(name)s: %(message)s",
            stream=sys.stderr,
            force=True,
        )

        logging.getLogger("alembic").setLevel(logging.WARNING)
        logging.getLogger("uvicorn").setLevel(logging.WARNING)

    def _log(self, name: str) -> Path:
        return self.conf.state / "log" / f"{name}.log"

    def _bus(self, *, for_others: bool = False) -> LocalBus:
        return LocalBus(self.conf.state / "bus", for_others=for_others)

    async def _api(self) -> None:
        await api.run(compose(self.conf, self._bus()), self.listener, self.metadata)

    async def _reconcile(self) -> None:
        await reconcile.run(compose(self.conf, self._bus()))

    async def _agent(self) -> None:
        await agent.run(self.conf, self._bus(for_others=os.geteuid() == 0), self.host)


def listen(address: str) -> socket.socket:
    """Bound and listening. Raises SystemExit with words when the port is taken."""
    host, _, port = address.rpartition(":")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host.strip("[]"), int(port)))
    except (OSError, ValueError, OverflowError) as error:
        raise SystemExit(f"pileus: cannot listen on {address}: {error}") from None
    listener.listen(2048)
    listener.setblocking(False)
    return listener
