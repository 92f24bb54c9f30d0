"""Inventories as answers show them."""

from collections.abc import Iterable

from pileus.kernel.http.call import Json
from pileus.placement.providers.models import Inventory, Provider


def view(item: Inventory) -> Json:
    return {
        "total": item.total,
        "reserved": item.reserved,
        "min_unit": item.min_unit,
        "max_unit": item.max_unit,
        "step_size": item.step_size,
        "allocation_ratio": item.allocation_ratio,
    }


def one(provider: Provider, item: Inventory) -> Json:
    return view(item) | {"resource_provider_generation": provider.generation}


def every(provider: Provider, items: Iterable[Inventory]) -> Json:
    return {
        "resource_provider_generation": provider.generation,
        "inventories": {item.resource_class: view(item) for item in items},
    }
