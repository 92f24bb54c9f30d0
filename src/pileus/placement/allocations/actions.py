"""Writing allocations: all that a request asks for is true at its end, or nothing of it."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from msgspec import UNSET, UnsetType
from sqlalchemy import delete, func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from pileus.kernel.errors import BadRequest, Conflict
from pileus.placement.allocations.models import Allocation, Consumer
from pileus.placement.errors import concurrent
from pileus.placement.providers.models import Inventory, Provider
from pileus.placement.resource_classes import catalogue


class Wanted(NamedTuple):
    """What a consumer shall hold from now on: amounts by provider and class; empty: nothing.

    `generation` is the consumer's as the caller knows it: None for a new one, UNSET from callers that do not compare.
    `consumer_type` None leaves it, and makes a new consumer `unknown`.
    """

    consumer_id: str
    project_id: str
    user_id: str
    generation: int | None | UnsetType
    consumer_type: str | None
    resources: Mapping[str, Mapping[str, int]]


def replace(db: Session, every: Sequence[Wanted]) -> None:
    """Make the consumers hold exactly what is wanted.

    Raises BadRequest for unknown providers and classes, Conflict where a generation moved or an inventory does not allow it.
    """
    consumers = [wanted.consumer_id for wanted in every]
    if len(set(consumers)) != len(consumers):
        raise BadRequest("A consumer comes twice in the request.")
    asked = {provider for wanted in every for provider in wanted.resources}
    catalogue.need(db, {name for wanted in every for amounts in wanted.resources.values() for name in amounts})
    left = select(Allocation.provider_id).where(Allocation.consumer_id.in_(consumers)).distinct()
    _lock(db, asked, asked | set(db.scalars(left)))
    _own(db, every)
    db.execute(delete(Allocation).where(Allocation.consumer_id.in_(consumers)))
    _check_capacity(db, every, asked)
    db.add_all(
        Allocation(consumer_id=wanted.consumer_id, provider_id=provider, resource_class=name, used=amount)
        for wanted in every
        for provider, amounts in wanted.resources.items()
        for name, amount in amounts.items()
    )
    db.flush()
    empty = [wanted.consumer_id for wanted in every if not wanted.resources]
    db.execute(delete(Consumer).where(Consumer.id.in_(empty)))


def _lock(db: Session, asked: set[str], touched: set[str]) -> None:
    """Raise the providers' generations. Their rows stay locked to the end, so nobody can take what is counted after this."""
    held = select(Provider.id).where(Provider.id.in_(asked))
    if missing := asked - set(db.scalars(held)):
        raise BadRequest(f"Allocation at a resource provider that does not exist: {', '.join(sorted(missing))}.")
    raised = update(Provider).where(Provider.id.in_(touched)).values(generation=Provider.generation + 1)
    db.execute(raised.execution_options(synchronize_session=False))


def _own(db: Session, every: Sequence[Wanted]) -> None:
    """Make or change the consumers, by compare-and-swap on the generations that the callers saw."""
    columns = select(Consumer.id, Consumer.generation, Consumer.consumer_type)
    rows = db.execute(columns.where(Consumer.id.in_([wanted.consumer_id for wanted in every])))
    known = {row.id: row for row in rows}
    for wanted in every:
        held = known.get(wanted.consumer_id)
        at = held.generation if held is not None else None
        if wanted.generation is not UNSET and wanted.generation != at:
            raise concurrent(
                f"Consumer {wanted.consumer_id} is at generation {at}, not {wanted.generation}: read it again."
            )
        if held is None:
            made = Consumer(id=wanted.consumer_id, project_id=wanted.project_id, user_id=wanted.user_id, generation=1)
            made.consumer_type = wanted.consumer_type or "unknown"
            db.add(made)
            continue
        swap = update(Consumer).where(Consumer.id == held.id, Consumer.generation == held.generation)
        swapped = swap.values(
            generation=held.generation + 1,
            project_id=wanted.project_id,
            user_id=wanted.user_id,
            consumer_type=wanted.consumer_type or held.consumer_type,
        )
        result = db.execute(swapped.execution_options(synchronize_session=False))
        if getattr(result, "rowcount", 0) != 1:
            raise concurrent(f"Consumer {wanted.consumer_id} was changed meanwhile: read it again.")
    try:
        db.flush()
    except IntegrityError:
        raise concurrent("Somebody else made one of the consumers meanwhile: read them again.") from None


def _check_capacity(db: Session, every: Sequence[Wanted], providers: set[str]) -> None:
    query = (
        select(Allocation.provider_id, Allocation.resource_class, func.sum(Allocation.used))
        .where(Allocation.provider_id.in_(providers))
        .group_by(Allocation.provider_id, Allocation.resource_class)
    )
    used = {(provider, name): int(amount) for provider, name, amount in db.execute(query)}
    stock = {
        (item.provider_id, item.resource_class): item
        for item in db.scalars(select(Inventory).where(Inventory.provider_id.in_(providers)))
    }
    for wanted in every:
        for provider, amounts in wanted.resources.items():
            for name, amount in amounts.items():
                place = (provider, name)
                if (why := refusal(stock.get(place), amount, used.get(place, 0))) is not None:
                    raise Conflict(f"Unable to allocate {amount} {name} at resource provider {provider}: {why}.")
                used[place] = used.get(place, 0) + amount


def refusal(item: Inventory | None, amount: int, used: int) -> str | None:
    """Why the inventory does not give this amount; None when it does."""
    if item is None:
        return "it has no inventory of that class"
    if not item.min_unit <= amount <= item.max_unit:
        return f"one consumer gets {item.min_unit} to {item.max_unit}"
    if amount % item.step_size:
        return f"it is given in steps of {item.step_size}"
    if used + amount > item.capacity:
        return f"the capacity is {item.capacity}, {used} is used"
    return None
