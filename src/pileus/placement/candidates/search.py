"""The search: in each tree, with the providers that share with it, every way to satisfy all groups of a request."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

from pileus.kernel.errors import BadRequest
from pileus.placement.candidates.forest import Forest, Place
from pileus.placement.candidates.request import Group, Request

MOST = 10_000  # candidates of one answer
PATIENCE = 200_000  # combinations that one request may look at

Choice = dict[
    str, Place
]  # of one group: which provider gives each class; a group without resources has its place under ""


@dataclass(frozen=True)
class Candidate:
    """`amounts` by provider and class; `mappings`: which providers serve each group, by suffix."""

    amounts: dict[str, dict[str, int]]
    mappings: dict[str, list[str]]


class Search:
    """`nested` is False for callers before 1.29: they know only roots."""

    def __init__(self, forest: Forest, request: Request, *, nested: bool) -> None:
        self.forest = forest
        self.request = request
        self.nested = nested
        self._looked = 0

    def run(self) -> list[Candidate]:
        """Raises BadRequest for a request that has too many combinations to look through."""
        return list(itertools.islice(self._different(), min(self.request.limit or MOST, MOST)))

    def _different(self) -> Iterator[Candidate]:
        seen: set[object] = set()
        for root_id, tree in self.forest.trees.items():
            for found in self._in_tree(root_id, tree):
                key = (
                    frozenset((place, *amount) for place, had in found.amounts.items() for amount in had.items()),
                    frozenset((suffix, tuple(ids)) for suffix, ids in found.mappings.items()),
                )
                if key not in seen:
                    seen.add(key)
                    yield found

    def _in_tree(self, root_id: str, tree: list[Place]) -> Iterator[Candidate]:
        if not self.request.root.allow(self.forest.places[root_id].traits):
            return
        shared = frozenset[str]().union(*(place.aggregates for place in tree))
        lenders = [place for place in self.forest.lenders if place.root_id != root_id and place.aggregates & shared]
        places = [place for place in (*tree, *lenders) if self.nested or place.parent_id is None]
        options = []
        for group in self.request.groups:
            choices = list(self._single(group, places) if group.suffix else self._spread(group, places))
            if not choices:
                return
            options.append(choices)
        for combination in itertools.product(*options):
            self._look()
            found = self._combined(combination)
            if found is not None:
                yield found

    def _single(self, group: Group, places: list[Place]) -> Iterator[Choice]:
        """One provider gives all of the group."""
        for place in self._allowed(group, places):
            if group.traits.allow(place.traits) and all(place.gives(*amount) for amount in group.resources.items()):
                yield dict.fromkeys(group.resources or ("",), place)

    def _spread(self, group: Group, places: list[Place]) -> Iterator[Choice]:
        """Each class comes from any provider; the traits are those of all who give together."""
        allowed = [place for place in self._allowed(group, places) if not group.traits.forbidden & place.traits]
        givers = [[place for place in allowed if place.gives(*amount)] for amount in group.resources.items()]
        for chosen in itertools.product(*givers):
            self._look()
            if group.traits.allow(frozenset[str]().union(*(place.traits for place in chosen))):
                yield dict(zip(group.resources, chosen, strict=True))

    def _allowed(self, group: Group, places: list[Place]) -> list[Place]:
        tree = self.forest.places.get(group.in_tree) if group.in_tree is not None else None
        return [
            place
            for place in places
            if (group.in_tree is None or (tree is not None and tree.root_id == place.root_id))
            and group.membership.allows(place.aggregates | self.forest.places[place.root_id].aggregates)
        ]

    def _combined(self, combination: tuple[Choice, ...]) -> Candidate | None:
        """All groups together, unless they take too much of one provider or stand in the wrong places."""
        amounts: dict[str, dict[str, int]] = {}
        serving: dict[str, list[Place]] = {}
        for group, choice in zip(self.request.groups, combination, strict=True):
            serving[group.suffix] = list(dict.fromkeys(choice.values()))
            for name, amount in group.resources.items():
                had = amounts.setdefault(choice[name].id, {})
                had[name] = had.get(name, 0) + amount
        if len(self.request.groups) > 1:
            if not all(
                self.forest.places[place].gives(*amount) for place, had in amounts.items() for amount in had.items()
            ):
                return None
            if not self._apart(serving) or not self._near(serving):
                return None
        return Candidate(amounts, {suffix: [place.id for place in found] for suffix, found in serving.items()})

    def _apart(self, serving: dict[str, list[Place]]) -> bool:
        """`group_policy=isolate`: no provider gives to two suffixed groups."""
        givers = [serving[group.suffix][0] for group in self.request.groups if group.suffix and group.resources]
        return not self.request.isolate or len(set(givers)) == len(givers)

    def _near(self, serving: dict[str, list[Place]]) -> bool:
        """`same_subtree`: one of the groups' providers is above (or is) all the others."""
        for suffixes in self.request.subtrees:
            places = [place for suffix in suffixes for place in serving[suffix]]
            lines = [set(self.forest.line(place)) for place in places]
            if not any(all(place.id in line for line in lines) for place in places):
                return False
        return True

    def _look(self) -> None:
        self._looked += 1
        if self._looked > PATIENCE:
            raise BadRequest(
                f"The request has more than {PATIENCE} combinations of providers; narrow it with limit, in_tree, required or member_of."
            )
