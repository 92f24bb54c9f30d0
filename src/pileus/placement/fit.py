"""Whether a provider has room, as SQL: so that only those that have are read at all.

The scheduler's statements are made once and then only filled in: making one costs as much as running it.
"""

from functools import lru_cache
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    FromClause,
    Select,
    Table,
    and_,
    bindparam,
    exists,
    func,
    insert,
    inspect,
    or_,
    select,
    update,
)
from sqlalchemy.orm import InstrumentedAttribute

from pileus.kernel.db import Base
from pileus.placement.allocations.models import Allocation, Consumer
from pileus.placement.providers.models import Inventory, Provider

BEHIND_ALL = "~"  # greater than any id


def gives(
    provider_id: InstrumentedAttribute[str] | ColumnElement[str],
    name: str | BindParameter[str],
    amount: int | BindParameter[int],
) -> ColumnElement[bool]:
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


def _table(model: type[Base]) -> Table:
    """Its rows come without the costs of the mapper."""
    found = inspect(model).local_table
    assert isinstance(found, Table)
    return found


_providers, _inventories, _allocations, _consumers = map(_table, (Provider, Inventory, Allocation, Consumer))

ADVANCE = (
    update(_providers)
    .where(_providers.c.id == bindparam("provider"), _providers.c.generation == bindparam("seen"))
    .values(generation=_providers.c.generation + 1)
)
CONSUMER = select(_consumers.c.id).where(_consumers.c.id == bindparam("consumer"))
NEW_CONSUMER = insert(_consumers)
NEW_ALLOCATION = insert(_allocations)


def _stock(providers: FromClause) -> Select[tuple[Any, ...]]:
    """(id, name, generation) of each provider with (class, total, reserved, allocation_ratio, max_unit, used) of each inventory."""
    own, taken = _inventories.c, _allocations.c
    mine = and_(taken.provider_id == own.provider_id, taken.resource_class == own.resource_class)
    used = select(func.coalesce(func.sum(taken.used), 0)).where(mine).correlate(_inventories).scalar_subquery()
    who = (providers.c.id, providers.c.name, providers.c.generation)
    what = (own.resource_class, own.total, own.reserved, own.allocation_ratio, own.max_unit)
    joined = providers.outerjoin(_inventories, own.provider_id == providers.c.id)
    return select(*who, *what, used).select_from(joined)


STOCK = _stock(_providers)
STOCK_OF = STOCK.where(_providers.c.id.in_(bindparam("ids", expanding=True)))


@lru_cache(maxsize=64)
def fitting(classes: tuple[str, ...], *, named: bool, used: bool = False, parts: int = 0) -> Select[tuple[Any, ...]]:
    """Stock of `portion` providers by id behind `after` and up to `last`, that give `amount_<n>` of `class_<n>` each.

    `named`: only of those whose name is in `names`; `used`: only of those that somebody has something of.
    `parts`: of those below which (or which) give `part_amount_<n>` of `part_class_<n>` each, for so many n.
    """
    key = _providers.c
    room = [gives(key.id, bindparam(f"class_{n}"), bindparam(f"amount_{n}", 0)) for n in range(len(classes))]
    found = select(key.id, key.name, key.generation).where(
        key.id > bindparam("after"), key.id <= bindparam("last"), *room
    )
    for n in range(parts):
        part = _providers.alias("part")
        gift = gives(part.c.id, bindparam(f"part_class_{n}"), bindparam(f"part_amount_{n}", 0))
        found = found.where(exists().where(part.c.root_id == key.id, gift))
    if used:
        found = found.where(exists().where(_allocations.c.provider_id == key.id))
    if named:
        found = found.where(key.name.in_(bindparam("names", expanding=True)))
    return _stock(found.order_by(key.id).limit(bindparam("portion", 0)).subquery())
