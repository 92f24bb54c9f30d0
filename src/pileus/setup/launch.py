"""Put in place what a command needs, then become that command."""

import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, NoReturn

from pileus.setup import environment, guest_image, libvirt_binding, needs, packages, places, source, users
from pileus.setup.environment import Kind
from pileus.setup.errors import SetupError
from pileus.setup.needs import Needs
from pileus.setup.places import Places

_HELP = ((), ("help",), ("-h",), ("--help",))
_SETUP_OPTIONS = {
    "--dev": "also what ./pileus test needs",
    "--fake": "only what a cloud of fakes needs (always so without root)",
}


class Ready(NamedTuple):
    """What a command runs with: an interpreter, and the folder that it imports Pileus from."""

    python: Path
    source: Path


def main(arguments: Sequence[str]) -> int:
    """Returns an exit status, or does not return because the process became the command."""
    here = places.find()
    try:
        return _start(here, arguments)
    except SetupError as failure:
        print(f"pileus: {failure}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\npileus: interrupted; the same command goes on from here", file=sys.stderr)
        return 130


def _start(here: Places, arguments: Sequence[str]) -> int:
    if tuple(arguments) in _HELP and not environment.is_complete(environment.path(here, Kind.RUN)):
        # Asking what there is must not install anything: the command line's parser needs no environment.
        become(here, Path(sys.executable), here.source, ["-P", "-S", "-m", "pileus.main", *arguments])
    match needs.command_of(arguments):
        case "setup":
            return _setup(here, arguments[1:])
        case "test":
            ready = ensure(here, needs.of(arguments, here.privileged))
            become(here, ready.python, here.source, ["-m", "pileus.setup.check", *arguments[1:]])
        case _:
            ready = ensure(here, needs.of(arguments, here.privileged))
            become(here, ready.python, ready.source, ["-P", "-m", "pileus.main", *arguments])


def ensure(here: Places, wanted: Needs) -> Ready:
    """Put in place what is wanted, in the order in which one thing needs another."""
    inherited = os.umask(0o022)  # the unprivileged roles must be able to read what is made here
    try:
        if wanted.host:
            packages.ensure(here, (*packages.HOST, *guest_image.packages(), *(packages.TESTS if wanted.dev else ())))
            users.ensure()
        elif here.privileged:
            if not environment.can_be_made():
                packages.ensure(here, (packages.VENV,))
            users.ensure()  # the roles of a cloud of fakes, too, run unprivileged
        for kind in Kind if wanted.dev else (Kind.RUN,):
            built = environment.ensure(here, kind)
            if wanted.host:
                libvirt_binding.ensure(built)
        if wanted.image:
            guest_image.ensure(here)
        return Ready(environment.interpreter(built), source.ensure(here))
    finally:
        os.umask(inherited)


def become(here: Places, python: Path, source_folder: Path, arguments: Sequence[str]) -> NoReturn:
    """Replace this process by ``python arguments…``, importing from its environment and ``source_folder`` alone."""
    surroundings = {name: value for name, value in os.environ.items() if name != "PYTHONHOME"}
    surroundings |= {"PYTHONPATH": str(source_folder), "PYTHONNOUSERSITE": "1"}
    if here.bytecode is not None:
        surroundings["PYTHONPYCACHEPREFIX"] = str(here.bytecode)
    os.execve(python, [str(python), *arguments], surroundings)


def _setup(here: Places, options: Sequence[str]) -> int:
    unknown = [option for option in options if option not in _SETUP_OPTIONS]
    if unknown:
        helping = unknown[0] in {"-h", "--help"}
        usage = "\n".join(f"  {option}  {meaning}" for option, meaning in _SETUP_OPTIONS.items())
        print(f"usage: ./pileus setup [--dev] [--fake]\n{usage}", file=sys.stdout if helping else sys.stderr)
        return 0 if helping else 2
    started = time.monotonic()
    ensure(here, needs.of(["setup", *options], here.privileged))
    print(f"Everything is in place ({time.monotonic() - started:.1f} s). Next: ./pileus up")
    return 0
