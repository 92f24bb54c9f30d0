"""Which driver holds which domain's users and groups."""

import time
from collections.abc import Callable, Mapping

import msgspec
from sqlalchemy.orm import Session

from pileus.identity.directories.base import Directory, Match
from pileus.identity.directories.ldap.options import LdapOptions
from pileus.identity.directories.models import Entity
from pileus.identity.domain_config import queries
from pileus.identity.domain_config.options import Config, Options
from pileus.identity.domain_config.sealing import OptionSealer
from pileus.kernel.errors import Unavailable

PAGING = 60.0  # seconds in which further pages of a list are those of the first
FRESH = 1.0  # seconds until a change made by another process is seen


def _ldap(domain_id: str, options: Options) -> Directory:
    from pileus.identity.directories.ldap.directory import LdapDirectory  # its library loads only where it is used

    return LdapDirectory(domain_id, msgspec.convert(options, LdapOptions, strict=False))


# None: the tables themselves are the truth, and nobody else is asked.
DRIVERS: Mapping[str, Callable[[str, Options], Directory] | None] = {"sql": None, "ldap": _ldap}


class Directories:
    """The directories of all domains that have one, as this process knows them."""

    def __init__(self, sealer: OptionSealer) -> None:
        self._sealer = sealer
        self._drivers: dict[str, str] = {}
        self._until = 0.0
        self._open: dict[str, tuple[float, Config, Directory]] = {}
        self._listed: dict[tuple[str, Entity, Match | None], float] = {}

    def domains(self, db: Session) -> list[str]:
        """Ids of the domains whose users and groups are not (only) in the tables."""
        if time.monotonic() >= self._until:
            self._drivers = {domain: name for domain, name in queries.drivers(db).items() if name != "sql"}
            self._until = time.monotonic() + FRESH
        return list(self._drivers)

    def of(self, db: Session, domain_id: str | None) -> Directory | None:
        """None: the domain's users and groups are in the tables. Raises Unavailable for a driver that is not known."""
        if domain_id not in self.domains(db) or domain_id is None:
            return None
        known = self._open.get(domain_id)
        if known is not None and time.monotonic() < known[0]:
            return known[2]
        config = queries.stored(db, domain_id)
        if known is not None and known[1] == config:
            directory = known[2]
        else:
            directory = self._connect(domain_id, config)
            if known is not None:
                known[2].close()
        self._open[domain_id] = (time.monotonic() + FRESH, config, directory)
        return directory

    def forget(self) -> None:
        """A configuration changed in this process: look at the rows again."""
        self._until = 0.0
        self._listed = {}
        self._open = {domain: (0.0, config, directory) for domain, (_, config, directory) in self._open.items()}

    def listed(self, domain_id: str, entity: Entity, match: Match | None) -> None:
        """A list was asked for right now: all that is like `match`."""
        now = time.monotonic()
        self._listed = {key: until for key, until in list(self._listed.items()) if until > now}
        self._listed[domain_id, entity, match] = now + PAGING

    def was_listed(self, domain_id: str, entity: Entity, match: Match | None) -> bool:
        return self._listed.get((domain_id, entity, match), 0.0) > time.monotonic()

    def close(self) -> None:
        for _, _, directory in self._open.values():
            directory.close()
        self._open = {}

    def _connect(self, domain_id: str, config: Config) -> Directory:
        name = self._drivers[domain_id]
        make = DRIVERS.get(name)
        if make is None:
            known = ", ".join(DRIVERS)
            raise Unavailable(f"Domain {domain_id} is configured with the driver {name!r}; known are {known}.")
        return make(domain_id, queries.opened(self._sealer, name, config.get(name, {})))
