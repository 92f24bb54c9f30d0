"""The driver `ldap`: people and teams are entries, a password is right if a bind with it succeeds."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Literal, TypeVar

from pileus.identity.directories.base import Match, Person, Team
from pileus.identity.directories.gate import Gate
from pileus.identity.directories.ldap import filters
from pileus.identity.directories.ldap.entries import Reader
from pileus.identity.directories.ldap.link import Entry, Link
from pileus.identity.directories.ldap.names import leaf, normal
from pileus.identity.directories.ldap.options import LdapOptions
from pileus.kernel.db import new_hex_id

T = TypeVar("T")
AT_ONCE = 100  # entries that one search names
NESTED = ":1.2.840.113556.1.4.1941:"  # Active Directory's rule for members of members


class LdapDirectory:
    def __init__(self, domain_id: str, options: LdapOptions) -> None:
        what = f"The LDAP directory of domain {domain_id}"
        self._options = options
        self._link = Link(what, options)
        self._reader = Reader(options)
        self._gate = Gate(what)

    def prove(self, key: Literal["id", "name"], value: str, password: str) -> Person | None:
        o = self._options
        attribute = o.user_id_attribute if key == "id" else o.user_name_attribute
        with self._gate():
            found = self._people([filters.equals(attribute, value)])
            person = found[0] if len(found) == 1 else None
            # Nobody of that name, or more than one: a bind that must fail takes as long as one that may succeed.
            dn = person.address if person else f"cn={new_hex_id()},{o.user_tree}"
            good = self._link.accepts(dn, password)
        return person if good else None

    def people(self, match: Match | None = None) -> list[Person]:
        with self._gate():
            return self._people([filters.like(self._options.user_name_attribute, match)] if match else [])

    def people_by_id(self, local_ids: Sequence[str]) -> list[Person]:
        with self._gate():
            return self._people_where(filters.equals(self._options.user_id_attribute, one) for one in local_ids)

    def teams(self, match: Match | None = None) -> list[Team]:
        with self._gate():
            return self._teams([filters.like(self._options.group_name_attribute, match)] if match else [])

    def teams_by_id(self, local_ids: Sequence[str]) -> list[Team]:
        with self._gate():
            found: list[Team] = []
            for chunk in _chunks(local_ids):
                either = filters.either(filters.equals(self._options.group_id_attribute, one) for one in chunk)
                found += self._teams([either], members=True)
            return found

    def teams_of(self, person: Person) -> list[Team]:
        o = self._options
        member = o.group_member_attribute + (NESTED if o.group_ad_nesting else "")
        value = person.local_id if o.group_members_are_ids else person.address
        with self._gate():
            return self._teams([filters.equals(member, value)])

    def members(self, team: Team) -> list[Person]:
        o = self._options
        if o.group_members_are_ids:
            return self.people_by_id(sorted(team.members))
        with self._gate():
            if o.group_ad_nesting:
                dns = [entry.dn for entry in self._team_entries([filters.equals(o.group_id_attribute, team.local_id)])]
                return self._people_where(filters.equals(f"memberOf{NESTED}", dn) for dn in dns)
            named = (leaf(dn) for dn in sorted(team.members))
            found = self._people_where(filters.equals(*name) for name in named if name is not None)
            return [person for person in found if normal(person.address) in team.members]

    def is_in(self, person: Person, team: Team) -> bool:
        mark = person.local_id if self._options.group_members_are_ids else normal(person.address)
        return mark in team.members

    def close(self) -> None:
        self._link.close()

    def _people_where(self, wanted: Iterable[str]) -> list[Person]:
        """Anyone that one of the filters finds."""
        found: list[Person] = []
        for chunk in _chunks(list(wanted)):
            found += self._people([filters.either(chunk)], whole=True)
        return found

    def _people(self, wanted: Sequence[str], *, whole: bool = False) -> list[Person]:
        o = self._options
        every = filters.every([filters.equals("objectClass", o.user_objectclass), o.user_filter, *wanted])
        entries = self._link.search(o.user_tree, o.query_scope, every, self._reader.person_attributes, whole=whole)
        enabled = self._enabled() if entries and o.user_enabled_emulation else None
        return [person for entry in entries if (person := self._reader.person(entry, enabled)) is not None]

    def _teams(self, wanted: Sequence[str], *, members: bool = False) -> list[Team]:
        entries = self._team_entries(wanted, members=members)
        return [team for entry in entries if (team := self._reader.team(entry)) is not None]

    def _team_entries(self, wanted: Sequence[str], *, members: bool = False) -> list[Entry]:
        o = self._options
        every = filters.every([filters.equals("objectClass", o.group_objectclass), o.group_filter, *wanted])
        attributes = self._reader.team_attributes + ([o.group_member_attribute] if members else [])
        return self._link.search(o.group_tree, o.query_scope, every, attributes, whole=members)

    def _enabled(self) -> frozenset[str]:
        """The DNs in the group that stands in for an attribute."""
        o = self._options
        member = o.group_member_attribute if o.user_enabled_emulation_use_group_config else "member"
        found = self._link.search(o.enabled_group, "base", "(objectClass=*)", [member])
        raw = (filters.text(member, value) for entry in found for value in entry.all(member))
        return frozenset(normal(dn) for dn in raw if dn)


def _chunks(items: Sequence[T]) -> Iterator[Sequence[T]]:
    return (items[start : start + AT_ONCE] for start in range(0, len(items), AT_ONCE))
