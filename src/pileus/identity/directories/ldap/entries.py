"""Entries read as people and teams, the way a domain's configuration says."""

import logging

from pileus.identity.directories.base import Person, Team
from pileus.identity.directories.ldap.filters import text
from pileus.identity.directories.ldap.link import Entry
from pileus.identity.directories.ldap.names import leaf, normal
from pileus.identity.directories.ldap.options import LdapOptions, Words, words

log = logging.getLogger(__name__)
YES, NO = {"true", "yes", "on", "1"}, {"false", "no", "off", "0", ""}


class Reader:
    def __init__(self, options: LdapOptions) -> None:
        self._options = o = options
        self._person_extra = _pairs(o.user_additional_attribute_mapping, o.user_attribute_ignore)
        self._team_extra = _pairs(o.group_additional_attribute_mapping, o.group_attribute_ignore)
        self._ignored = set(words(o.user_attribute_ignore))
        self.person_attributes = _distinct(
            o.user_id_attribute,
            o.user_name_attribute,
            o.user_mail_attribute,
            o.user_description_attribute,
            o.user_enabled_attribute,
            o.user_default_project_id_attribute,
            *self._person_extra.values(),
        )
        self.team_attributes = _distinct(
            o.group_id_attribute, o.group_name_attribute, o.group_desc_attribute, *self._team_extra.values()
        )

    def person(self, entry: Entry, enabled: frozenset[str] | None) -> Person | None:
        """None for an entry that has no usable id or name. `enabled`: the DNs that are, where a group says so."""
        o = self._options
        local_id, name = _identifier(entry, o.user_id_attribute), _first(entry, o.user_name_attribute)
        if not local_id or not name:
            log.debug("%s has no single %s or no %s", entry.dn, o.user_id_attribute, o.user_name_attribute)
            return None
        project = o.user_default_project_id_attribute if "default_project_id" not in self._ignored else None
        extra = {key: value for key, of in self._person_extra.items() if (value := _first(entry, of))}
        mail = _first(entry, o.user_mail_attribute) if "email" not in self._ignored else None
        return Person(
            local_id,
            name,
            self._is_enabled(entry) if enabled is None else normal(entry.dn) in enabled,
            entry.dn,
            _first(entry, o.user_description_attribute) if "description" not in self._ignored else None,
            _first(entry, project) if project else None,
            extra | ({"email": mail} if mail else {}),
        )

    def team(self, entry: Entry) -> Team | None:
        o = self._options
        local_id, name = _identifier(entry, o.group_id_attribute), _first(entry, o.group_name_attribute)
        if not local_id or not name:
            log.debug("%s has no single %s or no %s", entry.dn, o.group_id_attribute, o.group_name_attribute)
            return None
        extra = {key: value for key, of in self._team_extra.items() if (value := _first(entry, of))}
        members = (text(o.group_member_attribute, raw) for raw in entry.all(o.group_member_attribute))
        shape = str if o.group_members_are_ids else normal
        return Team(
            local_id,
            name,
            _first(entry, o.group_desc_attribute) or "",
            extra,
            frozenset(shape(member) for member in members if member),
        )

    def _is_enabled(self, entry: Entry) -> bool:
        """What is neither clearly true nor clearly false counts as disabled."""
        o = self._options
        if "enabled" in self._ignored:
            return True
        given = _first(entry, o.user_enabled_attribute)
        word = (str(o.user_enabled_default) if given is None else given).strip()
        if o.user_enabled_mask:
            try:
                return not int(word) & o.user_enabled_mask
            except ValueError:
                log.warning("%s of %s is no number: disabled", o.user_enabled_attribute, entry.dn)
                return False
        if word.lower() not in YES | NO:
            log.warning("%s of %s is neither TRUE nor FALSE: disabled", o.user_enabled_attribute, entry.dn)
            return False
        return (word.lower() in YES) != o.user_enabled_invert


def _first(entry: Entry, attribute: str) -> str | None:
    """Of an attribute with several values, the first that is text."""
    return next((word for raw in entry.all(attribute) if (word := text(attribute, raw)) is not None), None)


def _identifier(entry: Entry, attribute: str) -> str | None:
    """The one value; of several the one in the DN, since their order may change with every answer."""
    values = entry.all(attribute)
    if len(values) == 1:
        return text(attribute, values[0])
    named = leaf(entry.dn)
    return named[1] if values and named is not None and named[0].lower() == attribute.lower() else None


def _pairs(given: Words, ignored: Words) -> dict[str, str]:
    """`ldap_attribute:identity_attribute` as identity -> LDAP. Never one that identity itself defines."""
    taken = {"id", "name", "enabled", "domain_id", "password", "options", "links", *words(ignored)}
    pairs = (word.partition(":") for word in words(given))
    return {theirs.strip(): ours.strip() for ours, colon, theirs in pairs if colon and theirs.strip() not in taken}


def _distinct(*names: str | None) -> list[str]:
    return list(dict.fromkeys(name for name in names if name))
