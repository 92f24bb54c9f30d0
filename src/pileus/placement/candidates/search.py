"""The search: in each tree, with the providers that share with it, every way to satisfy all groups of a request."""

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from pileus.kernel.errors import BadRequest
from pileus.placement.candidates.forest import Forest, Place
from pileus.placement.candidates.request import Group, Request

PATIENCE = 50_000  # combinations to look at in a row without finding a candidate

# Which provider gives each class of one group; a group without resources has its provider under "".
Choice = dict[str, Place]
# The choices by the group's suffix, in the order of the request's groups.
Serving = dict[str, Choice]


@dataclass(frozen=True)
class Candidate:
    """`amounts` by provider and class; `mappings`: which providers serve each group, by suffix."""

    amounts: dict[str, dict[str, int]]
    mappings: dict[str, list[str]]


class Search:
    """`nested` is False for callers before 1.29: they know only roots."""

    def __init__(self, request: Request, *, nested: bool) -> None:
        self.request = request
        self.nested = nested
        self._looked = 0
        self._seen: set[object] = set()

    def among(self, forest: Forest, roots: Iterable[str]) -> Iterator[Candidate]:
        """Those of the trees of `roots` that were not found before.

        Raises BadRequest for a request that has too many combinations to look through.
        """
        self.forest = forest
        for root_id in roots:
            for found in self._in_tree(root_id, forest.trees.get(root_id, [])):
                key = (
                    frozenset((place, *amount) for place, had in found.amounts.items() for amount in had.items()),
                    frozenset((suffix, tuple(ids)) for suffix, ids in found.mappings.items()),
                )
                if key not in self._seen:
                    self._seen.add(key)
                    yield found

    def _in_tree(self, root_id: str, tree: list[Place]) -> Iterator[Candidate]:
        if not tree or not self.request.root.allow(self.forest.places[root_id].traits):
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
        for serving in self._ways(options, {}):
            if self._near(serving):
                self._looked = 0
                yield Candidate(_amounts(self.request.groups, serving), _mappings(serving))

    def _ways(self, options: list[list[Choice]], chosen: Serving) -> Iterator[Serving]:
        """One choice for each group, as long as no provider is asked for too much."""
        if len(chosen) == len(options):
            yield chosen
            return
        for choice in options[len(chosen)]:
            self._look()
            more = chosen | {self.request.groups[len(chosen)].suffix: choice}
            if self._apart(more) and self._enough(more):
                yield from self._ways(options, more)

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

    def _enough(self, serving: Serving) -> bool:
        """Does each provider have what the groups chosen so far take of it together? One group alone was checked before."""
        taken = _amounts(self.request.groups, serving) if len(serving) > 1 else {}
        return all(self.forest.places[place].gives(*amount) for place, had in taken.items() for amount in had.items())

    def _apart(self, serving: Serving) -> bool:
        """`group_policy=isolate`: no provider gives to two suffixed groups."""
        givers = [next(iter(choice.values())) for suffix, choice in serving.items() if suffix and "" not in choice]
        return not self.request.isolate or len(set(givers)) == len(givers)

    def _near(self, serving: Serving) -> bool:
        """`same_subtree`: one of the groups' providers is above (or is) all the others."""
        for suffixes in self.request.subtrees:
            places = [place for suffix in suffixes for place in serving[suffix].values()]
            lines = [set(self.forest.line(place)) for place in places]
            if not any(all(place.id in line for line in lines) for place in places):
                return False
        return True

    def _look(self) -> None:
        self._looked += 1
        if self._looked > PATIENCE:
            raise BadRequest(
                f"No candidate among {PATIENCE} combinations of providers, and there are more; "
                "narrow the request with in_tree, required or member_of."
            )


def _amounts(groups: Sequence[Group], serving: Serving) -> dict[str, dict[str, int]]:
    """What the groups chosen so far take, by provider and class."""
    amounts: dict[str, dict[str, int]] = {}
    for group in groups[: len(serving)]:
        for name, amount in group.resources.items():
            had = amounts.setdefault(serving[group.suffix][name].id, {})
            had[name] = had.get(name, 0) + amount
    return amounts


def _mappings(serving: Serving) -> dict[str, list[str]]:
    return {suffix: list(dict.fromkeys(place.id for place in choice.values())) for suffix, choice in serving.items()}
