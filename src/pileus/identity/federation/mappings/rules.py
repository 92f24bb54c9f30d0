"""The rules of a mapping as they are written, and whether they can work at all."""

import re
from collections.abc import Iterator
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from pileus.kernel import patterns
from pileus.kernel.errors import BadRequest
from pileus.kernel.http.schema import UNSET, Shape, Unset

SchemaVersion = Literal["1.0", "2.0"]
Text = Annotated[str, Meta(max_length=1024)]
Name = Annotated[str, Meta(min_length=1, max_length=1024)]
Texts = list[Text]
REFERENCE = re.compile(r"\{(\d{1,4})\}")
FILTERS = ("any_one_of", "not_any_of", "whitelist", "blacklist")


class Requirement(Shape):
    """An attribute that must be there. With `any_one_of` or `not_any_of` it is a condition; else its values are a reference."""

    type: Name
    any_one_of: Texts | Unset = UNSET
    not_any_of: Texts | Unset = UNSET
    whitelist: Texts | Unset = UNSET
    blacklist: Texts | Unset = UNSET
    regex: bool | Unset = UNSET

    @property
    def is_reference(self) -> bool:
        return self.any_one_of is UNSET and self.not_any_of is UNSET


class DomainTemplate(Shape):
    id: Name | Unset = UNSET
    name: Name | Unset = UNSET


class UserTemplate(Shape):
    id: Name | Unset = UNSET
    name: Name | Unset = UNSET
    email: Name | Unset = UNSET
    domain: DomainTemplate | Unset = UNSET
    type: Literal["ephemeral", "local"] | Unset = UNSET


class GroupTemplate(Shape):
    id: Name | Unset = UNSET
    name: Name | Unset = UNSET
    domain: DomainTemplate | Unset = UNSET


class RoleTemplate(Shape):
    name: Name


class ProjectTemplate(Shape):
    name: Name
    roles: Annotated[list[RoleTemplate], Meta(min_length=1)]
    domain: DomainTemplate | Unset = UNSET


class Local(Shape):
    user: UserTemplate | Unset = UNSET
    group: GroupTemplate | Unset = UNSET
    groups: Name | list[Name] | Unset = UNSET
    group_ids: Name | list[Name] | Unset = UNSET
    domain: DomainTemplate | Unset = UNSET
    projects: list[ProjectTemplate] | Unset = UNSET


class Rule(Shape):
    local: Annotated[list[Local], Meta(min_length=1)]
    remote: Annotated[list[Requirement], Meta(min_length=1)]


def read(raw: object, version: str) -> tuple[Rule, ...]:
    """Raises BadRequest that says which rule can not work and why."""
    try:
        rules = msgspec.convert(raw, list[Rule])
    except msgspec.ValidationError as error:
        raise BadRequest(f"Invalid input in the rules: {error}") from None
    if not rules:
        raise BadRequest("A mapping needs at least one rule.")
    for number, rule in enumerate(rules):
        for problem in _problems(rule, version):
            raise BadRequest(f"Rule {number}: {problem}")
    return tuple(rules)


def _problems(rule: Rule, version: str) -> Iterator[str]:
    for requirement in rule.remote:
        given = [name for name in FILTERS if getattr(requirement, name) is not UNSET]
        if len(given) > 1:
            yield f"remote {requirement.type} has {' and '.join(given)}: only one of them can hold."
        if requirement.regex is not UNSET and requirement.regex and not given:
            yield f"remote {requirement.type} has regex but none of {', '.join(FILTERS)}."
        if requirement.regex is True:
            for pattern in getattr(requirement, given[0]) if given else ():
                if (fault := patterns.fault(pattern)) is not None:
                    yield f"the regular expression {pattern!r} can not be used: {fault}."
    for local in rule.local:
        yield from _local_problems(local, version)
    known = sum(requirement.is_reference for requirement in rule.remote)
    for text in _texts(msgspec.to_builtins(rule.local)):
        for index in REFERENCE.findall(text):
            if int(index) >= known:
                yield f"{text!r} refers to {{{index}}}, but remote has {known} attribute(s) to refer to."


def _local_problems(local: Local, version: str) -> Iterator[str]:
    if all(getattr(local, name) is UNSET for name in ("user", "group", "groups", "group_ids", "projects", "domain")):
        yield "an object in local is empty."
    if local.groups is not UNSET and local.domain is UNSET:
        yield "groups need the domain that they are in, beside them."
    if local.domain is not UNSET and local.groups is UNSET and version == "1.0":
        yield "domain goes with groups only; for users and projects it needs schema_version 2.0."
    group = local.group
    if isinstance(group, GroupTemplate):
        default = local.domain is not UNSET and version != "1.0"
        named = group.name is not UNSET and (group.domain is not UNSET or default)
        if (group.id is not UNSET) == named or (group.id is not UNSET and group.name is not UNSET):
            yield "a group is given by its id, or by its name and domain."
    for project in local.projects if isinstance(local.projects, list) else ():
        if project.domain is not UNSET and version == "1.0":
            yield "projects are made in the identity provider's domain; another needs schema_version 2.0."
    for domain in _domains(local):
        if (domain.id is UNSET) == (domain.name is UNSET):
            yield "a domain is given by either its id or its name."


def _domains(local: Local) -> Iterator[DomainTemplate]:
    projects = local.projects if isinstance(local.projects, list) else []
    for holder in (local, local.user, local.group, *projects):
        domain = getattr(holder, "domain", UNSET)
        if isinstance(domain, DomainTemplate):
            yield domain


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
