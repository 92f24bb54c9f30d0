"""Looking through the providers in portions: first those trees that SQL says could do, until enough candidates are found."""

import itertools
from collections.abc import Iterator

from sqlalchemy import ColumnElement, Select, exists, select, tuple_
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from pileus.placement.candidates import forest
from pileus.placement.candidates.forest import SHARES, Forest, Place
from pileus.placement.candidates.request import Request
from pileus.placement.candidates.search import Candidate, Search
from pileus.placement.fit import gives
from pileus.placement.providers.models import Provider, ProviderAggregate, ProviderTrait

MOST = 10_000  # candidates of one answer
PORTION = 8  # trees in the first portion at least, or as many as are asked for; each further one is twice as large
LARGEST = 4096
# MariaDB's own choice is to look at every provider, and then to sort. Other databases take no such hints.
BY_AGE = "FORCE INDEX (ix_resource_providers_created_at_id)"

_root, _part = aliased(Provider, name="root"), aliased(Provider, name="part")


def candidates(db: Session, request: Request, *, nested: bool) -> tuple[list[Candidate], Forest]:
    """At most `request.limit`, with the trees that they are of."""
    search, seen = Search(request, nested=nested), dict[str, Place]()

    def found() -> Iterator[Candidate]:
        lenders = list(db.scalars(select(Provider.root_id).join(ProviderTrait).where(ProviderTrait.trait == SHARES)))
        for roots in _portions(db, _could(request, lent=bool(lenders)), _first(request)):
            trees = forest.read(db, {*roots, *lenders})
            seen.update(trees.places)
            yield from search.among(trees, roots)

    return list(itertools.islice(found(), min(request.limit or MOST, MOST))), Forest(seen)


def _first(request: Request) -> int:
    """Trees in the first portion: most often each gives a candidate."""
    return min(max(PORTION, request.limit), LARGEST) if request.limit else LARGEST


def _portions(db: Session, query: Select[str], size: int) -> Iterator[list[str]]:
    """Ids of roots in the order that they were made."""
    ordered = query.add_columns(_root.created_at).order_by(_root.created_at, _root.id)
    after: tuple[object, object] | None = None
    while True:
        page = ordered
        if after is not None:  # by the first column alone as well: MariaDB finds no place in an index by a tuple
            page = ordered.where(_root.created_at >= after[0], tuple_(_root.created_at, _root.id) > after)
        rows = db.execute(page.limit(size)).all()
        if rows:
            yield [row[0] for row in rows]
        if len(rows) < size:
            return
        after, size = (rows[-1][1], rows[-1][0]), min(size * 2, LARGEST)


def _could(request: Request, *, lent: bool) -> Select[str]:
    """Roots of the trees that may serve the request. With `lent` (some provider shares what it has) hardly any can be left out."""
    query = select(_root.id).with_hint(_root, BY_AGE)
    query = query.where(_root.id == _root.root_id)  # unlike "has no parent", this leaves the index to the order
    for any_of in request.root.required:
        query = query.where(_has_trait(_root.id, any_of))
    if lent:
        return query
    for group in request.groups:
        if group.in_tree is not None:
            query = query.where(_root.id.in_(select(Provider.root_id).where(Provider.id == group.in_tree)))
        for name, amount in group.resources.items():
            query = query.where(_somewhere(gives(_part.id, name, amount)))
        for any_of in group.traits.required:
            query = query.where(_somewhere(_has_trait(_part.id, any_of)))
        for any_of in group.membership.within:
            member = (ProviderAggregate.provider_id == _part.id) & ProviderAggregate.aggregate_id.in_(any_of)
            query = query.where(_somewhere(exists().where(member)))
    return query


def _somewhere(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """At the root or below it."""
    return exists().where(_part.root_id == _root.id, condition)


def _has_trait(provider_id: InstrumentedAttribute[str], any_of: frozenset[str]) -> ColumnElement[bool]:
    return exists().where(ProviderTrait.provider_id == provider_id, ProviderTrait.trait.in_(any_of))
