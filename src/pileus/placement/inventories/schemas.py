"""What callers say a provider has."""

from typing import Annotated

from msgspec import Meta

from pileus.kernel.http.schema import UNSET, Shape, Unset
from pileus.placement.names import LARGEST, Amount, Name, Natural

Ratio = Annotated[float, Meta(ge=0, le=3.40282e38)]


class Stock(Shape, kw_only=True):
    """One resource class, in the class's own unit."""

    total: Amount
    reserved: Natural = 0
    min_unit: Amount = 1
    max_unit: Amount = LARGEST
    step_size: Amount = 1
    allocation_ratio: Ratio = 1.0


class StockBody(Stock, kw_only=True):
    resource_provider_generation: int


class NewStockBody(Stock, kw_only=True):
    resource_class: Name
    resource_provider_generation: int | Unset = UNSET


class InventoriesBody(Shape):
    resource_provider_generation: int
    inventories: dict[Name, Stock]
