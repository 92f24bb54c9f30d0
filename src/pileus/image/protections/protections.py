"""What the file means for a property and a caller; and taking up an edited file."""

import logging
import time
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Self, TypeVar

from pileus.image.protections.rules import EVERYONE, NOBODY, By, Operation, Section, read
from pileus.kernel.config import ConfigError
from pileus.kernel.errors import Forbidden
from pileus.kernel.patterns import Stopwatch, TooSlow

LOOK_AGAIN = 1.0  # seconds between looks at the file's time
RETRY = 60.0  # seconds until a name that took too long is tried again
MOST = 10_000  # names kept with their section
PolicyCheck = Callable[[str], bool]
V = TypeVar("V")
log = logging.getLogger(__name__)


class Reading:
    """One reading of the file, with what was found out by it."""

    def __init__(self, sections: tuple[Section, ...] = ()) -> None:
        self._sections = sections
        self._known: dict[str, Section | None] = {}
        self._slow: dict[str, float] = {}  # until when a name is not tried again

    def section(self, name: str) -> Section | None:
        """The one that decides on a property of that name. Raises TooSlow where that can not be said in time."""
        try:
            return self._known[name]
        except KeyError:
            pass
        if time.monotonic() < self._slow.get(name, 0):
            raise TooSlow
        try:
            found = self._search(name)
        except TooSlow:
            _keep(self._slow, name, time.monotonic() + RETRY)
            raise
        _keep(self._known, name, found)
        return found

    def _search(self, name: str) -> Section | None:
        watch = Stopwatch()
        for section in self._sections:
            try:
                if watch.finds(section.pattern, name):
                    return section
            except TooSlow as error:
                log.warning("%s (%r): the property is closed", error, name)
                raise
        return None


def _keep(kept: dict[str, V], name: str, value: V) -> None:
    if len(kept) >= MOST:
        kept.clear()
    kept[name] = value


class Protections:
    """Of custom properties only; without a file all is open, to whom the rules on images let change them.

    The first section whose expression is found in a property's name decides (`^` and `$` bind it to the whole name). A name
    that none matches, or whose search takes too long, is closed to everyone. Who may not read may not update or delete.
    """

    def __init__(self, path: Path | None, by: By, policies: Collection[str] | None = None) -> None:
        self._path, self._by, self._policies = path, by, policies
        self._reading = Reading()
        self._mark: tuple[int, int] | None = None
        self._look_again = 0.0

    @classmethod
    def load(cls, path: Path | None, by: By = "roles", policies: Collection[str] | None = None) -> Self:
        """`policies`: the rules that a file of policies may name. Raises ConfigError for a file that can not be used."""
        protections = cls(path, by, policies)
        if path is not None:
            protections._mark = protections._time()
            protections._reading = Reading(read(path, by, policies))
        return protections

    def allowed(self, operation: Operation, name: str, roles: Collection[str], policy: PolicyCheck) -> bool:
        """May a caller with these roles do that to a property of that name? `policy` tells of a rule by its name."""
        if self._path is None:
            return True
        self._refresh()
        try:
            section = self._reading.section(name)
        except TooSlow:
            return False
        if section is None:
            return False
        if operation in ("update", "delete") and not self._holds(section.who["read"], roles, policy):
            return False
        return self._holds(section.who[operation], roles, policy)

    def readable(self, properties: Mapping[str, V], roles: Collection[str], policy: PolicyCheck) -> dict[str, V]:
        """Those that the caller may see."""
        return {name: value for name, value in properties.items() if self.allowed("read", name, roles, policy)}

    def enforce(self, operation: Operation, name: str, roles: Collection[str], policy: PolicyCheck) -> None:
        """Raises Forbidden. Ask before whether the property is there: the answer must not tell what may not be read."""
        if not self.allowed(operation, name, roles, policy):
            raise Forbidden(f"Property '{name}' is protected: you may not {operation} it.")

    def _holds(self, who: frozenset[str], roles: Collection[str], policy: PolicyCheck) -> bool:
        if EVERYONE in who:
            return True
        if NOBODY in who:
            return False
        if self._by == "policies":
            return all(policy(name) for name in who)
        return any(role.lower() in who for role in roles)

    def _time(self) -> tuple[int, int] | None:
        try:
            status = self._path.stat() if self._path is not None else None
        except OSError:
            return None
        return (status.st_mtime_ns, status.st_ino) if status is not None else None

    def _refresh(self) -> None:
        """Take up an edited file. One that can not be used leaves the rules as they were."""
        now = time.monotonic()
        if self._path is None or now < self._look_again:
            return
        self._look_again = now + LOOK_AGAIN
        mark = self._time()
        if mark == self._mark:
            return
        self._mark = mark
        try:
            self._reading = Reading(read(self._path, self._by, self._policies))
        except ConfigError:
            log.exception("%s is not taken up: the protections stay as they were", self._path)
