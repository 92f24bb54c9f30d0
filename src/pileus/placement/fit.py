"""Whether a provider has room, as SQL: so that only those that have are read at all."""

from sqlalchemy import ColumnElement, and_, exists, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute

from pileus.placement.allocations.models import Allocation
from pileus.placement.providers.models import Inventory


def gives(provider_id: InstrumentedAttribute[str], name: str, amount: int) -> ColumnElement[bool]:
    """The provider has `amount` of the class free, and gives so much at once."""
    mine = and_(Allocation.provider_id == Inventory.provider_id, Allocation.resource_class == Inventory.resource_class)
    used = select(func.coalesce(func.sum(Allocation.used), 0)).where(mine).correlate(Inventory).scalar_subquery()
    return exists().where(
        Inventory.provider_id == provider_id,
        Inventory.resource_class == name,
        Inventory.min_unit <= amount,
        Inventory.max_unit >= amount,
        or_(Inventory.step_size == 1, amount % Inventory.step_size == 0),
        (Inventory.total - Inventory.reserved) * Inventory.allocation_ratio >= used + amount,
    )
