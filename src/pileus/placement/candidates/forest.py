"""Providers as they are now, as trees in memory."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from pileus.placement.allocations.models import Allocation
from pileus.placement.providers.models import Inventory, Provider, ProviderAggregate, ProviderTrait

SHARES = "MISC_SHARES_VIA_AGGREGATE"  # the standard trait of providers that give to all in their aggregates


class Shelf(NamedTuple):
    """One inventory with what is used of it."""

    capacity: int
    used: int
    min_unit: int
    max_unit: int
    step_size: int

    def gives(self, amount: int) -> bool:
        fits = self.min_unit <= amount <= self.max_unit and amount % self.step_size == 0
        return fits and self.used + amount <= self.capacity


@dataclass(frozen=True, eq=False)
class Place:
    """A provider with all that it has."""

    id: str
    parent_id: str | None
    root_id: str
    stock: dict[str, Shelf] = field(default_factory=dict)
    traits: frozenset[str] = frozenset()
    aggregates: frozenset[str] = frozenset()

    def gives(self, name: str, amount: int) -> bool:
        shelf = self.stock.get(name)
        return shelf is not None and shelf.gives(amount)


class Forest:
    def __init__(self, places: Mapping[str, Place]) -> None:
        self.places = places
        self.trees: dict[str, list[Place]] = {}
        for place in places.values():
            self.trees.setdefault(place.root_id, []).append(place)
        self.lenders = [place for place in places.values() if SHARES in place.traits]

    def line(self, place: Place) -> list[str]:
        """Ids from the place up to its root."""
        ids = [place.id]
        while place.parent_id is not None:
            place = self.places[place.parent_id]
            ids.append(place.id)
        return ids


def read(db: Session, roots: Collection[str]) -> Forest:
    """The trees of `roots`: five queries, whatever their number."""
    columns = select(Provider.id, Provider.parent_id, Provider.root_id).where(Provider.root_id.in_(roots))
    providers = db.execute(columns.order_by(Provider.created_at, Provider.id)).all()
    ids = [row.id for row in providers]
    taken = select(Allocation.provider_id, Allocation.resource_class, func.sum(Allocation.used))
    grouped = taken.where(Allocation.provider_id.in_(ids)).group_by(Allocation.provider_id, Allocation.resource_class)
    used = {(provider, name): int(amount) for provider, name, amount in db.execute(grouped)}
    stock: dict[str, dict[str, Shelf]] = {}
    amount = (Inventory.total, Inventory.reserved, Inventory.allocation_ratio)
    units = (Inventory.min_unit, Inventory.max_unit, Inventory.step_size)
    shelves = select(Inventory.provider_id, Inventory.resource_class, *amount, *units)
    for provider, name, total, reserved, ratio, *sizes in db.execute(shelves.where(Inventory.provider_id.in_(ids))):
        shelf = Shelf(int((total - reserved) * ratio), used.get((provider, name), 0), *sizes)
        stock.setdefault(provider, {})[name] = shelf
    traits: dict[str, set[str]] = {}
    held = select(ProviderTrait.provider_id, ProviderTrait.trait).where(ProviderTrait.provider_id.in_(ids))
    for provider, trait in db.execute(held):
        traits.setdefault(provider, set()).add(trait)
    aggregates: dict[str, set[str]] = {}
    within = select(ProviderAggregate.provider_id, ProviderAggregate.aggregate_id)
    for provider, aggregate in db.execute(within.where(ProviderAggregate.provider_id.in_(ids))):
        aggregates.setdefault(provider, set()).add(aggregate)
    return Forest(
        {
            row.id: Place(
                row.id,
                row.parent_id,
                row.root_id,
                stock.get(row.id, {}),
                frozenset(traits.get(row.id, ())),
                frozenset(aggregates.get(row.id, ())),
            )
            for row in providers
        }
    )
