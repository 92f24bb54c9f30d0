"""The mapping engine: rules and what an identity provider said, to a user with groups and projects. Pure.

An attribute has any number of values. A rule holds when all of its remote requirements do; `{0}` is then what its first
reference has, `{1}` the second. Rules add up: the first user counts, and the groups and projects of all.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import product
from typing import Literal

import msgspec

from pileus.identity.federation.mappings.rules import (
    REFERENCE,
    DomainTemplate,
    GroupTemplate,
    Local,
    ProjectTemplate,
    Requirement,
    Rule,
    UserTemplate,
)
from pileus.kernel.http.schema import Unset
from pileus.kernel.patterns import Stopwatch, TooSlow

MOST = 1000  # values that one template may become
Values = Sequence[str]
Assertion = Mapping[str, Values]  # attribute -> what the identity provider says


class Unmapped(Exception):
    """Nobody comes out of the rules; the message says why, for an operator."""


class DomainName(msgspec.Struct, frozen=True):
    id: str | None = None
    name: str | None = None


class MappedUser(msgspec.Struct, frozen=True, kw_only=True):
    """Of a local user `domain` is where it is looked up; of an ephemeral one None is the identity provider's."""

    id: str
    name: str
    email: str | None = None
    type: Literal["ephemeral", "local"] = "ephemeral"
    domain: DomainName | None = None


class MappedProject(msgspec.Struct, frozen=True):
    name: str
    roles: tuple[str, ...]
    domain: DomainName | None = None


class Mapped(msgspec.Struct, frozen=True, kw_only=True):
    user: MappedUser
    group_ids: tuple[str, ...] = ()
    group_names: tuple[tuple[str, DomainName], ...] = ()
    projects: tuple[MappedProject, ...] = ()


def evaluate(rules: Iterable[Rule], assertion: Assertion, version: str) -> Mapped:
    """`version` is the schema's: in 2.0 the domain of a local object is that of its user and projects, too. Raises Unmapped."""
    watch, reasons = Stopwatch(), []
    user: MappedUser | None = None
    found: dict[str, dict[object, None]] = {"ids": {}, "names": {}, "projects": {}}  # ordered sets
    held = False
    try:
        for number, rule in enumerate(rules):
            references = _references(rule.remote, assertion, watch)
            if isinstance(references, str):
                reasons.append(f"rule {number}: {references}")
                continue
            held = True
            for local in rule.local:
                scene = _Scene(references, local, assertion, version)
                user = user or scene.user()
                found["ids"] |= dict.fromkeys(scene.group_ids())
                found["names"] |= dict.fromkeys(scene.group_names())
                found["projects"] |= dict.fromkeys(scene.projects())
    except TooSlow as error:
        raise Unmapped(str(error)) from None
    if not held:
        raise Unmapped("no rule holds: " + "; ".join(reasons))
    user = user or _named(None, _remote_user(assertion))
    if user is None:
        raise Unmapped("no rule that holds names a user, and REMOTE_USER is not there")
    return msgspec.convert(
        {
            "user": user,
            "group_ids": list(found["ids"]),
            "group_names": list(found["names"]),
            "projects": list(found["projects"]),
        },
        Mapped,
    )


def _references(remote: Iterable[Requirement], assertion: Assertion, watch: Stopwatch) -> list[Values] | str:
    """The values of each reference; or why the requirements do not hold."""
    references: list[Values] = []
    for requirement in remote:
        values = [value for value in assertion.get(requirement.type, ()) if value]
        if not values:
            return f"{requirement.type} is not there"

        def hits(listed: list[str], value: str, *, regex: bool = requirement.regex is True) -> bool:
            return any(watch.finds(each, value) for each in listed) if regex else value in listed

        if isinstance(requirement.any_one_of, list):
            listed = requirement.any_one_of
            if not any(hits(listed, value) for value in values):
                return f"{requirement.type} is none of {listed}"
        elif isinstance(requirement.not_any_of, list):
            listed = requirement.not_any_of
            if any(hits(listed, value) for value in values):
                return f"{requirement.type} is one of {listed}"
        elif isinstance(requirement.whitelist, list):
            listed = requirement.whitelist
            references.append([value for value in values if hits(listed, value)])
        elif isinstance(requirement.blacklist, list):
            listed = requirement.blacklist
            references.append([value for value in values if not hits(listed, value)])
        else:
            references.append(values)
    return references


class _Scene:
    """One object of `local`, with the references filled in."""

    def __init__(self, references: list[Values], local: Local, assertion: Assertion, version: str) -> None:
        self.references = references
        self.local = local
        self.assertion = assertion
        self.shared = None if version == "1.0" else self._domain(local.domain)

    def user(self) -> MappedUser | None:
        given = self.local.user
        if not isinstance(given, UserTemplate):
            return None
        identifier, name = self._one(given.id), self._one(given.name)
        found = _named(identifier, name or (None if identifier else _remote_user(self.assertion)))
        if found is None:
            return None
        domain = self._domain(given.domain) or self.shared
        # A local user without a domain is an ephemeral one, as documented.
        kind: Literal["ephemeral", "local"] = "local" if given.type == "local" and domain is not None else "ephemeral"
        home = domain if kind == "local" else self.shared
        return msgspec.structs.replace(found, email=self._one(given.email), type=kind, domain=home)

    def group_ids(self) -> Iterator[str]:
        if isinstance(self.local.group, GroupTemplate) and isinstance(self.local.group.id, str):
            yield from self._all(self.local.group.id)
        for template in _several(self.local.group_ids):
            yield from self._all(template)

    def group_names(self) -> Iterator[tuple[str, DomainName]]:
        group, beside = self.local.group, self._domain(self.local.domain)
        if isinstance(group, GroupTemplate) and isinstance(group.name, str):
            domain = self._domain(group.domain) or self.shared
            yield from ((name, domain) for name in self._all(group.name) if domain)
        for template in _several(self.local.groups):
            yield from ((name, beside) for name in self._all(template) if beside)

    def projects(self) -> Iterator[MappedProject]:
        given: list[ProjectTemplate] = self.local.projects if isinstance(self.local.projects, list) else []
        for project in given:
            roles = tuple(role for template in project.roles for role in self._all(template.name))
            domain = self._domain(project.domain) or self.shared
            yield from (MappedProject(name, roles, domain) for name in self._all(project.name))

    def _domain(self, given: DomainTemplate | Unset) -> DomainName | None:
        if not isinstance(given, DomainTemplate):
            return None
        identifier, name = self._one(given.id), self._one(given.name)
        return DomainName(identifier, name) if identifier or name else None

    def _one(self, template: str | Unset) -> str | None:
        """Several values stay one text; an empty one is none."""
        if not isinstance(template, str):
            return None
        return REFERENCE.sub(lambda found: ";".join(self.references[int(found[1])]), template).strip() or None

    def _all(self, template: str) -> list[str]:
        """The template with every combination of the values that it refers to."""
        parts = REFERENCE.split(template)  # text, index, text, index, …, text
        choices = [[part] if i % 2 == 0 else self.references[int(part)] for i, part in enumerate(parts)]
        size = 1
        for choice in choices:
            size *= len(choice)
        if size > MOST:
            raise Unmapped(f"{template!r} would become {size} values; {MOST} are the most")
        return [text for text in ("".join(combination).strip() for combination in product(*choices)) if text]


def _named(identifier: str | None, name: str | None) -> MappedUser | None:
    """Either stands in for the other."""
    return MappedUser(id=identifier or name or "", name=name or identifier or "") if identifier or name else None


def _remote_user(assertion: Assertion) -> str | None:
    return next((value for value in assertion.get("REMOTE_USER", ()) if value), None)


def _several(given: str | list[str] | Unset) -> list[str]:
    return given if isinstance(given, list) else [given] if isinstance(given, str) else []
