"""Numbered groups of a flavor's extra specs (`resources1:`, `trait1:`, `group_policy`): each is given by one part of the host.

The parts are providers below the host's own, as an administrator makes them over the API; the search is that of the candidates.
"""

import re
from collections.abc import Collection, Mapping
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from pileus.placement.candidates import forest
from pileus.placement.candidates.request import Group, Request
from pileus.placement.candidates.search import Search
from pileus.placement.providers.models import Provider
from pileus.placement.query import Membership, TraitTerms

_SPEC = re.compile(r"(resources|trait)([1-9][0-9]*):(\w+)")


class Parts(NamedTuple):
    """`isolate`: no two groups from one provider (`group_policy`; upstream's placement wants it said, here absent is `none`)."""

    groups: tuple[Group, ...]
    isolate: bool

    def needs(self) -> list[tuple[str, int]]:
        """The most of each class that one group asks for."""
        most: dict[str, int] = {}
        for group in self.groups:
            for name, amount in group.resources.items():
                most[name] = max(amount, most.get(name, 0))
        return sorted(most.items())

    def __str__(self) -> str:
        return ", ".join(f"{amount} {name}" for group in self.groups for name, amount in group.resources.items())


class Layout(NamedTuple):
    """What each provider of a tree would give, by class; and the generations that this was seen at."""

    amounts: Mapping[str, Mapping[str, int]]
    generations: Mapping[str, int]


def numbered(extra_specs: Mapping[str, str]) -> Parts | None:
    """None without any group that asks for something."""
    resources: dict[str, dict[str, int]] = {}
    required: dict[str, list[frozenset[str]]] = {}
    forbidden: dict[str, set[str]] = {}
    for key, value in extra_specs.items():
        found = _SPEC.fullmatch(key)
        if found is None:
            continue
        kind, number, name = found.groups()
        if kind == "resources" and value.isdecimal() and int(value) > 0:
            resources.setdefault(number, {})[name] = int(value)
        elif kind == "trait" and value == "required":
            required.setdefault(number, []).append(frozenset((name,)))
        elif kind == "trait" and value == "forbidden":
            forbidden.setdefault(number, set()).add(name)
    groups = tuple(
        _group(number, wanted, TraitTerms(tuple(required.get(number, ())), frozenset(forbidden.get(number, ()))))
        for number, wanted in sorted(resources.items())
    )
    return Parts(groups, extra_specs.get("group_policy") == "isolate") if groups else None


def _group(suffix: str, wanted: Mapping[str, int], traits: TraitTerms) -> Group:
    return Group(suffix, dict(wanted), traits, Membership(), None)


def layouts(db: Session, roots: Collection[str], wanted: Mapping[str, int], parts: Parts) -> dict[str, Layout]:
    """For each of the trees that can give `wanted` and all of the parts: one way to do so. Six queries, whatever their number."""
    groups = (_group("", wanted, TraitTerms()), *parts.groups)
    request = Request(groups, parts.isolate, TraitTerms(), (), 1)
    # Generations first: what changes from now on is noticed by the claim.
    query = select(Provider.id, Provider.generation).where(Provider.root_id.in_(roots))
    generations = {row.id: row.generation for row in db.execute(query)}
    trees, found = forest.read(db, roots), dict[str, Layout]()
    for root in roots:
        way = next(Search(request, nested=True).among(trees, [root]), None)
        if way is not None and way.amounts.keys() <= generations.keys():
            found[root] = Layout(way.amounts, {key: generations[key] for key in way.amounts})
    return found
