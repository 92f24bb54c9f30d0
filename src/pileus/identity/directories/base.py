"""What a directory outside of the cloud's own tables promises: people and teams to read, and passwords to check.

A directory is read-only, does its own network I/O and must never be asked inside a database transaction. Every method may raise
`errors.Unavailable` when the directory does not answer, within a bounded time. Methods are called from several threads.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

Mode = Literal["exact", "contains", "startswith", "endswith"]


@dataclass(frozen=True)
class Match:
    """What a name must be like. A directory may find more than that (it may ignore case), never less."""

    mode: Mode
    value: str


@dataclass(frozen=True)
class Person:
    """`local_id` is what the directory knows a person by for good; `address` is where it keeps the entry (in LDAP, the DN)."""

    local_id: str
    name: str
    enabled: bool
    address: str
    description: str | None = None
    default_project_id: str | None = None
    extra: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Team:
    """A directory's group. `members` says who is in it in the directory's own terms: `Directory.is_in` reads it."""

    local_id: str
    name: str
    description: str = ""
    extra: Mapping[str, str] = field(default_factory=dict)
    members: frozenset[str] = frozenset()


class Directory(Protocol):
    def prove(self, key: Literal["id", "name"], value: str, password: str) -> Person | None:
        """The person of that local id or name, if the password is right; None does not tell which of the two was wrong.

        A person who is not enabled is returned all the same: the caller refuses.
        """

    def people(self, match: Match | None = None) -> list[Person]: ...

    def people_by_id(self, local_ids: Sequence[str]) -> list[Person]:
        """Those that exist."""

    def teams(self, match: Match | None = None) -> list[Team]: ...

    def teams_by_id(self, local_ids: Sequence[str]) -> list[Team]:
        """Those that exist, with their members."""

    def teams_of(self, person: Person) -> list[Team]: ...

    def members(self, team: Team) -> list[Person]:
        """Of a team that `teams_by_id` gave."""

    def is_in(self, person: Person, team: Team) -> bool:
        """By the team's members, without asking again."""

    def close(self) -> None:
        """Nothing is kept open. It can still be asked."""
