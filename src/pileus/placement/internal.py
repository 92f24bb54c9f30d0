"""Placement's door for the other services: claims inside the caller's own transaction."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from pileus.kernel.db import new_id
from pileus.placement import fit
from pileus.placement.allocations.models import Allocation, Consumer
from pileus.placement.parts import Layout, Parts, layouts, numbered
from pileus.placement.providers.models import Inventory, Provider, ProviderAggregate, ProviderTrait

__all__ = ["Layout", "Parts", "layouts", "numbered"]  # beside what is defined here


class Stock(NamedTuple):
    """One resource class at one provider, in the class's own unit."""

    total: int
    reserved: int
    allocation_ratio: float
    max_unit: int
    used: int

    @property
    def free(self) -> int:
        return int((self.total - self.reserved) * self.allocation_ratio) - self.used


class Supply(NamedTuple):
    """A provider with all that it has."""

    provider_id: str
    name: str
    generation: int
    stock: Mapping[str, Stock]
    traits: frozenset[str]

    def shortage(self, wanted: Mapping[str, int]) -> "Shortage | None":
        """What of `wanted` this provider can not give; None when it has room for all."""
        for name, amount in wanted.items():
            have = self.stock.get(name)
            if have is None:
                return Shortage(name, amount, "it offers none")
            if amount > have.max_unit:
                return Shortage(name, amount, f"it gives at most {have.max_unit} at once")
            if amount > have.free:
                return Shortage(name, amount, f"{max(have.free, 0)} free")
        return None


class Shortage(NamedTuple):
    """`fact` is what there is, for a person."""

    resource_class: str
    amount: int
    fact: str


class ClaimLost(Exception):
    """Another claim changed the provider meanwhile: look at the supply again."""


def supplies(
    db: Session, ids: Collection[str] | None = None, *, traits: Collection[str] | None = None
) -> dict[str, Supply]:
    """Providers (None: every one) with their stock, by id. `traits`: those to look for (None: all that they have)."""
    db.flush()
    rows = db.execute(fit.STOCK if ids is None else fit.STOCK_OF, {} if ids is None else {"ids": list(ids)})
    return _supplies(db, rows, traits)


def fitting(
    db: Session,
    wanted: Mapping[str, int],
    *,
    names: Collection[str] | None = None,
    used: bool = False,
    traits: Collection[str] | None = None,
    parts: Parts | None = None,
    portion: int = 64,
) -> Iterator[list[Supply]]:
    """Providers (None: of any name) that could give all of `wanted` now, in portions, from a random one on.

    With `used` only those that somebody has something of already; with `parts` those that may have the parts. Ids are random,
    so that a portion is a fair sample, and concurrent boots do not look at the same hosts first.
    """
    db.flush()
    start, needs = new_id(), parts.needs() if parts is not None else []
    statement = fit.fitting(tuple(sorted(wanted)), named=names is not None, used=used, parts=len(needs))
    given: dict[str, object] = {"names": list(names or ()), "portion": portion}
    for number, name in enumerate(sorted(wanted)):
        given |= {f"class_{number}": name, f"amount_{number}": wanted[name]}
    for number, (name, amount) in enumerate(needs):
        given |= {f"part_class_{number}": name, f"part_amount_{number}": amount}
    for first, last in ((start, fit.BEHIND_ALL), ("", start)):
        after = first
        while found := _supplies(db, db.execute(statement, given | {"after": after, "last": last}), traits):
            yield list(found.values())
            if len(found) < portion:
                break
            after = max(found)


def _supplies(db: Session, rows: Iterable[Sequence[Any]], traits: Collection[str] | None) -> dict[str, Supply]:
    """Rows of `fit`: one statement, so that generation and use are of one moment. Traits that change later move the generation."""
    named: dict[str, tuple[str, int]] = {}
    stock: dict[str, dict[str, Stock]] = {}
    for provider_id, provider, generation, name, total, reserved, ratio, most, used in rows:
        named[provider_id] = provider, generation
        held = stock.setdefault(provider_id, {})
        if name is not None:
            held[name] = Stock(total, reserved, ratio, most, int(used))
    held_traits = _traits(db, named, traits) if named and (traits is None or traits) else {}
    return {key: Supply(key, *who, stock[key], frozenset(held_traits.get(key, ()))) for key, who in named.items()}


def _traits(db: Session, ids: Collection[str], names: Collection[str] | None) -> dict[str, set[str]]:
    query = select(ProviderTrait.provider_id, ProviderTrait.trait).where(ProviderTrait.provider_id.in_(ids))
    if names is not None:
        query = query.where(ProviderTrait.trait.in_(names))
    traits: dict[str, set[str]] = {}
    for provider_id, trait in db.execute(query):
        traits.setdefault(provider_id, set()).add(trait)
    return traits


def claim(
    db: Session,
    supply: Supply,
    consumer_id: str,
    project_id: str,
    user_id: str,
    wanted: Mapping[str, int],
    layout: Layout | None = None,
) -> None:
    """Allocate `wanted` at the provider, on the supply as it was read. Raises ClaimLost when it changed since.

    With a `layout` what its providers give is allocated instead; each must be as it was seen.
    """
    db.flush()
    amounts = {supply.provider_id: wanted} if layout is None else layout.amounts
    seen = dict(layout.generations if layout else {}) | {supply.provider_id: supply.generation}
    for provider_id in sorted(seen):  # in one order, so that no two wait for each other
        result = db.execute(fit.ADVANCE, {"provider": provider_id, "seen": seen[provider_id]})
        if getattr(result, "rowcount", 0) != 1:
            raise ClaimLost(supply.name)
    if db.scalar(fit.CONSUMER, {"consumer": consumer_id}) is None:
        db.execute(fit.NEW_CONSUMER, {"id": consumer_id, "project_id": project_id, "user_id": user_id})
    taken = [
        {"consumer_id": consumer_id, "provider_id": provider_id, "resource_class": name, "used": amount}
        for provider_id, given in amounts.items()
        for name, amount in given.items()
        if amount > 0
    ]
    if taken:
        db.execute(fit.NEW_ALLOCATION, taken)


def release(db: Session, consumer_id: str) -> None:
    """Give everything back. A consumer without allocations is left alone."""
    mine = select(Allocation.provider_id).where(Allocation.consumer_id == consumer_id).distinct()
    # The ids by themselves: MariaDB would look at every provider, and lock it, for an update with a query inside.
    raised = update(Provider).where(Provider.id.in_(list(db.scalars(mine)))).values(generation=Provider.generation + 1)
    db.execute(raised.execution_options(synchronize_session=False))
    db.execute(delete(Allocation).where(Allocation.consumer_id == consumer_id))
    db.execute(delete(Consumer).where(Consumer.id == consumer_id))


class Offer(NamedTuple):
    """What a host says it has of one class."""

    total: int
    reserved: int = 0
    allocation_ratio: float = 1.0


def sync_provider(
    db: Session, provider_id: str, name: str, offers: Mapping[str, Offer], traits: frozenset[str]
) -> None:
    """Make the provider's inventories and traits equal to what its host reports; untouched when they are already."""
    provider = db.get(Provider, provider_id, with_for_update=True)  # no claim between what is read and what is changed
    if provider is None:
        provider = Provider(id=provider_id, name=name, root_id=provider_id)
        db.add(provider)
        db.flush()
    held = {
        item.resource_class: item for item in db.scalars(select(Inventory).where(Inventory.provider_id == provider_id))
    }
    changed = False
    for resource_class, offer in offers.items():
        item = held.pop(resource_class, None)
        if item is None:
            item = Inventory(
                provider_id=provider_id, resource_class=resource_class, total=offer.total, max_unit=offer.total
            )
            item.reserved, item.allocation_ratio = offer.reserved, offer.allocation_ratio
            db.add(item)
            changed = True
        elif (item.total, item.reserved, item.allocation_ratio) != tuple(offer):
            item.total = item.max_unit = offer.total
            item.reserved, item.allocation_ratio = offer.reserved, offer.allocation_ratio
            changed = True
    in_use = set(db.scalars(select(Allocation.resource_class).where(Allocation.provider_id == provider_id)))
    for resource_class, item in held.items():
        if resource_class not in in_use:
            db.delete(item)
            changed = True
    known = set(db.scalars(select(ProviderTrait.trait).where(ProviderTrait.provider_id == provider_id)))
    db.add_all(ProviderTrait(provider_id=provider_id, trait=trait) for trait in traits - known)
    if gone := {trait for trait in known - traits if not trait.startswith("CUSTOM_")}:
        db.execute(delete(ProviderTrait).where(ProviderTrait.provider_id == provider_id, ProviderTrait.trait.in_(gone)))
        changed = True
    if changed or traits - known:
        provider.generation += 1
    db.flush()


def forget_provider(db: Session, provider_id: str) -> bool:
    """The provider leaves the cloud with all below it; False when something is still allocated there."""
    tree = select(Provider.id, Provider.parent_id).where(Provider.root_id == provider_id)
    parents = {
        row.id: row.parent_id for row in db.execute(tree.with_for_update())
    }  # keeps claims out until they are gone
    if db.scalar(select(Allocation.used).where(Allocation.provider_id.in_(list(parents))).limit(1)) is not None:
        return False
    for model in (Inventory, ProviderTrait, ProviderAggregate):
        db.execute(delete(model).where(model.provider_id.in_(list(parents))))
    while parents:
        leaves = parents.keys() - set(parents.values())
        db.execute(delete(Provider).where(Provider.id.in_(leaves)))
        parents = {key: above for key, above in parents.items() if key not in leaves}
    return True
