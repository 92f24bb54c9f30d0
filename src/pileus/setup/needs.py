"""What each command needs before it can start."""

from collections.abc import Sequence
from typing import NamedTuple


class Needs(NamedTuple):
    """``host``: Debian packages and users; ``image``: the guest image; ``dev``: the tools of the tests."""

    host: bool = False
    image: bool = False
    dev: bool = False


_FULL = Needs(host=True, image=True)
_BY_COMMAND = {
    "setup": _FULL,
    "up": _FULL,
    "test": _FULL._replace(dev=True),
    "image": Needs(host=True),  # building an image takes the packages, not an image; adding one takes neither
}


def command_of(arguments: Sequence[str]) -> str | None:
    """The subcommand: the first word, or after leading options the first known one."""
    if arguments and not arguments[0].startswith("-"):
        return arguments[0]
    return next((word for word in arguments if word in _BY_COMMAND), None)


def of(arguments: Sequence[str], privileged: bool) -> Needs:
    """Beyond the virtual environment, which every command needs. Without privileges the cloud is a fake one."""
    command = command_of(arguments)
    needs = _BY_COMMAND.get(command or "", Needs())
    if command == "image" and "add" in arguments:
        needs = Needs()
    if command == "setup" and "--dev" in arguments:
        needs = needs._replace(dev=True)
    return needs if privileged and "--fake" not in arguments else needs._replace(host=False, image=False)
