"""Questions that must have no answer: what `pileus audit` and the tests ask of placement's tables."""

from collections.abc import Collection

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session

from pileus.placement.allocations.models import Allocation, Consumer
from pileus.placement.providers.models import Inventory, Provider


def orphans(db: Session, known: Collection[str]) -> list[str]:
    """Consumers of type INSTANCE that are no server of `known`."""
    return [c for c in db.scalars(select(Consumer.id).where(Consumer.consumer_type == "INSTANCE")) if c not in known]


def holders(db: Session) -> set[str]:
    """All that hold anything."""
    return set(db.scalars(select(Allocation.consumer_id).distinct()))


def unowned(db: Session) -> list[str]:
    """Allocations without their consumer, and consumers that have none: both live and die together."""
    ids = select(Consumer.id)
    lost = select(Allocation.consumer_id).where(Allocation.consumer_id.not_in(ids)).distinct()
    idle = select(Consumer.id).where(~select(Allocation).where(Allocation.consumer_id == Consumer.id).exists())
    found = [f"allocation of {consumer}, which is no consumer" for consumer in db.scalars(lost)]
    return found + [f"consumer {consumer} without an allocation" for consumer in db.scalars(idle)]


def overfull(db: Session) -> list[str]:
    """What was given beyond what there is: never by a claim, but an inventory may have been made smaller since."""
    taken = func.sum(Allocation.used)
    capacity = func.min((Inventory.total - Inventory.reserved) * Inventory.allocation_ratio)
    own = and_(Inventory.provider_id == Allocation.provider_id, Inventory.resource_class == Allocation.resource_class)
    query = (
        select(Provider.name, Allocation.resource_class, taken, capacity)
        .join(Provider, Provider.id == Allocation.provider_id)
        .outerjoin(Inventory, own)
        .group_by(Provider.name, Allocation.resource_class)
        .having(or_(taken > capacity, capacity.is_(None)))
    )
    return [
        f"{name} gave {used} {resource_class} and has {int(most or 0)}"
        for name, resource_class, used, most in db.execute(query)
    ]
