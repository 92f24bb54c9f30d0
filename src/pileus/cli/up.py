"""`pileus up`: the cloud, from nothing or from where it was."""

import argparse
import fcntl
import gc
import http.client
import json
import os
import signal
import socket
import sys
import time
from pathlib import Path
from typing import Any, TextIO
from urllib.parse import urlsplit

from pileus.kernel.bus.base import agent_topic
from pileus.kernel.config import Config, ConfigError
from pileus.roles.state import Owner, check_reachable, default_folder, owner_of_roles, prepare
from pileus.setup import guest_image, places
from pileus.setup.progress import step

READY_WITHIN = 120  # seconds until every API must answer
LONGEST_SOCKET = 107  # bytes of a Unix socket's path


def up(options: argparse.Namespace) -> int:
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C before the supervisor takes over ends this at once
    state = (options.state or default_folder()).absolute()
    try:
        lock = _locked(state)
    except OSError as error:
        print(f"pileus: {error.filename}: {error.strerror}", file=sys.stderr)
        return 1
    if lock is None:
        print(f"pileus is up already: `pileus status --state {state}` tells more.")
        return 0
    gc.disable()  # nothing that is loaded now ever goes; the supervisor freezes it before it forks
    with step("Loading", after=1.0):
        from pileus.roles import supervisor
        from pileus.roles.driver_names import check_drivers
    try:
        conf = _config(options, state)
        owner = owner_of_roles(conf.cloud.user)
        check_reachable(state, owner)
        host = conf.cloud.host or socket.gethostname()
        _check_length(state, host)
    except ConfigError as error:
        print(f"pileus: {error}", file=sys.stderr)
        return 1
    fake = conf.cloud.hypervisor == conf.cloud.network_mechanism == "fake"
    prepare(state, owner, owner if fake else Owner(os.geteuid(), os.getegid()))
    (state / "agent" / "ready").unlink(missing_ok=True)
    from pileus.roles import credentials

    credentials.write(conf)
    cloud = supervisor.Supervisor(conf, host)
    check_drivers(conf.cloud.hypervisor, conf.cloud.network_mechanism)
    image = guest_image.path(places.find())
    with step("Preparing the database", after=1.0):
        cloud.prepare(image)
    _remember(options, state, conf, host)
    if options.detach:
        return _detached(cloud, conf, state, lock)
    print(f"Starting on {conf.endpoint}; Ctrl-C ends it. Logs: {state / 'log'}")
    watcher = os.fork()
    if watcher == 0:
        try:
            _wait(conf)
        finally:
            os._exit(0)
    _supervise(cloud, state)
    _reap(watcher)
    print("pileus is down; guests, if any, keep running (`pileus down --all` ends them too).")
    return 0


def _reap(watcher: int) -> None:
    """The child that waited for the APIs: long over, unless the cloud was stopped before it was up."""
    try:
        os.kill(watcher, signal.SIGKILL)
        os.waitpid(watcher, 0)
    except (ProcessLookupError, ChildProcessError):
        pass


def _config(options: argparse.Namespace, state: Path) -> Config:
    from pileus import composition

    overrides: dict[str, Any] = {}
    if options.listen:
        overrides["listen"] = options.listen
    if options.fake or os.geteuid() != 0:
        overrides |= {"hypervisor": "fake", "network_mechanism": "fake"}
    return composition.load(state, options.config, overrides)


def _check_length(state: Path, host: str) -> None:
    """The names of the bus's sockets must fit the system's limit (unix(7))."""
    longest = len(os.fsencode(state / "bus" / f"{agent_topic(host)}.call"))
    if longest > LONGEST_SOCKET:
        raise ConfigError(
            f"the state folder's name is {longest - LONGEST_SOCKET} bytes too long for the sockets in it: {state}"
        )


def _locked(state: Path) -> TextIO | None:
    """The state folder's lock, held as long as the cloud runs; None when another process has it."""
    for folder in (state, state / "run"):
        folder.mkdir(mode=0o711, parents=True, exist_ok=True)
    lock = (state / "run" / "supervisor.lock").open("a")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return None
    return lock


def _remember(options: argparse.Namespace, state: Path, conf: Config, host: str) -> None:
    """What `down`, `status` and `logs` need to know of the running cloud."""
    facts = {
        "pid": os.getpid(),
        "endpoint": conf.endpoint,
        "metadata": conf.cloud.metadata_listen,
        "host": host,
        "overrides": {name: getattr(conf.cloud, name) for name in ("listen", "hypervisor", "network_mechanism")},
        "database": conf.database_url,
        "config": str(options.config.absolute()) if options.config else None,
    }
    path = state / "run" / "cloud.json"
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump(facts, file)  # the database's address may hold a password


def _detached(cloud: Any, conf: Config, state: Path, lock: TextIO) -> int:
    child = os.fork()
    if child == 0:
        os.setsid()
        output = os.open(state / "log" / "supervisor.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o640)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(output, 1)
        os.dup2(output, 2)
        _supervise(cloud, state)
        os._exit(0)
    lock.close()
    return _wait(conf, child)


def _supervise(cloud: Any, state: Path) -> None:
    pid_file = state / "run" / "supervisor.pid"
    pid_file.write_text(f"{os.getpid()}\n")
    cloud.run(lambda: None)
    pid_file.unlink(missing_ok=True)


def _wait(conf: Config, child: int | None = None) -> int:
    """Until every API answers and this host is known; then says what to paste next."""
    deadline = time.monotonic() + READY_WITHIN
    with step("Waiting for the APIs", after=1.0):
        while (missing := _missing(conf)) is not None:
            if time.monotonic() > deadline:
                print(f"pileus: not up within {READY_WITHIN} s: {missing}; `pileus logs` tells why", file=sys.stderr)
                return 1
            if child is not None and os.waitpid(child, os.WNOHANG) != (0, 0):
                print("pileus: the supervisor ended; `pileus logs` tells why", file=sys.stderr)
                return 1
            time.sleep(0.03)
    print(f"Pileus answers on {conf.endpoint}. Next:\n")
    print(f"  export OS_CLIENT_CONFIG_FILE={conf.state / 'clouds.yaml'}")
    print("  export OS_CLOUD=pileus-demo")
    print("  openstack server create --image pico --flavor m1.nano --network private --wait first\n", flush=True)
    return 0


def _missing(conf: Config) -> str | None:
    """What does not answer yet: a service's version document, or this host's agent."""
    from pileus.composition import SERVICES

    addresses = [f"{conf.endpoint}/{manifest.name}/" for manifest in SERVICES] + [
        f"http://{conf.cloud.metadata_listen}/"
    ]
    for address in addresses:
        place = urlsplit(address)
        connection = http.client.HTTPConnection(place.netloc, timeout=5)
        try:
            connection.request("GET", place.path)
            code = connection.getresponse().status
        except OSError as error:
            return f"{address} does not answer ({error})"
        finally:
            connection.close()
        if code >= 400:
            return f"{address} answers {code}"
    return None if (conf.state / "agent" / "ready").exists() else "the host's agent is not ready"
