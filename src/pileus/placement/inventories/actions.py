"""Reading and changing what a provider has. The caller has advanced the provider's generation before any change."""

from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from pileus.kernel.errors import BadRequest, Conflict
from pileus.kernel.http.call import Call
from pileus.placement.allocations.models import Allocation
from pileus.placement.errors import INVENTORY_IN_USE
from pileus.placement.inventories.schemas import Stock
from pileus.placement.providers.models import Inventory, Provider
from pileus.placement.resource_classes import catalogue


def held(db: Session, provider: Provider) -> Sequence[Inventory]:
    query = select(Inventory).where(Inventory.provider_id == provider.id)
    return db.scalars(query.order_by(Inventory.resource_class)).all()


def put(call: Call, provider: Provider, wanted: Mapping[str, Stock]) -> None:
    """Make or change the inventories of these classes; leave the others."""
    catalogue.need(call.db, wanted)
    known = {item.resource_class: item for item in held(call.db, provider)}
    for name, stock in wanted.items():
        _check_reserved(call, name, stock)
        item = known.get(name)
        if item is None:
            item = Inventory(provider_id=provider.id, resource_class=name)
            call.db.add(item)
        item.total, item.reserved, item.allocation_ratio = stock.total, stock.reserved, stock.allocation_ratio
        item.min_unit, item.max_unit, item.step_size = stock.min_unit, stock.max_unit, stock.step_size
    call.db.flush()


def remove(db: Session, provider: Provider, names: Iterable[str]) -> None:
    """Raises Conflict when any of them is allocated."""
    gone = set(names)
    if not gone:
        return
    mine = (Allocation.provider_id == provider.id, Allocation.resource_class.in_(gone))
    if used := db.scalars(select(Allocation.resource_class).where(*mine).distinct()).all():
        raise Conflict(
            f"Inventory for '{', '.join(sorted(used))}' on resource provider '{provider.id}' in use.",
            kind=INVENTORY_IN_USE,
        )
    db.execute(delete(Inventory).where(Inventory.provider_id == provider.id, Inventory.resource_class.in_(gone)))


def replace(call: Call, provider: Provider, wanted: Mapping[str, Stock]) -> None:
    put(call, provider, wanted)
    remove(call.db, provider, {item.resource_class for item in held(call.db, provider)} - wanted.keys())


def _check_reserved(call: Call, name: str, stock: Stock) -> None:
    """All of it may be reserved only since 1.26."""
    most = stock.total if call.at_least(1, 26) else stock.total - 1
    if stock.reserved > most:
        raise BadRequest(
            f"Invalid inventory of {name}: reserved is {stock.reserved}, at most {most} of {stock.total} may be."
        )
    if stock.min_unit > stock.max_unit:
        raise BadRequest(f"Invalid inventory of {name}: min_unit {stock.min_unit} is above max_unit {stock.max_unit}.")
