"""Inventories: how much of each resource class a provider has (Placement API, Resource provider inventories)."""

from pileus.kernel.errors import BadRequest, Conflict, MethodNotAllowed, NotFound
from pileus.kernel.http.call import Call, Reply
from pileus.kernel.http.routes import Route
from pileus.kernel.http.schema import UNSET
from pileus.placement.freshness import fresh
from pileus.placement.inventories import actions, views
from pileus.placement.inventories.schemas import InventoriesBody, NewStockBody, StockBody
from pileus.placement.providers.generation import advance
from pileus.placement.providers.models import Inventory
from pileus.placement.providers.queries import find

PATH = "/resource_providers/{uuid}/inventories"
ONE = f"{PATH}/{{resource_class}}"
RULE = "placement:resource_providers:inventories"


def index(call: Call, uuid: str) -> Reply:
    provider = find(call.db, uuid)
    return fresh(call, views.every(provider, actions.held(call.db, provider)), when=provider.updated_at)


def replace(call: Call, uuid: str, body: InventoriesBody) -> Reply:
    provider = find(call.db, uuid)
    advance(call.db, provider, body.resource_provider_generation)
    actions.replace(call, provider, body.inventories)
    return fresh(call, views.every(provider, actions.held(call.db, provider)), when=provider.updated_at)


def create(call: Call, uuid: str, body: NewStockBody) -> Reply:
    provider = find(call.db, uuid)
    seen = body.resource_provider_generation
    advance(call.db, provider, None if seen is UNSET else seen)
    if call.db.get(Inventory, (provider.id, body.resource_class)) is not None:
        raise Conflict(f"Resource provider {provider.id} has an inventory of {body.resource_class} already.")
    actions.put(call, provider, {body.resource_class: body})
    location = {"location": call.url(f"/resource_providers/{provider.id}/inventories/{body.resource_class}")}
    made = call.db.get_one(Inventory, (provider.id, body.resource_class))
    return fresh(call, views.one(provider, made), when=provider.updated_at, headers=location)


def clear(call: Call, uuid: str) -> None:
    if not call.at_least(1, 5):
        raise MethodNotAllowed(
            "Deleting all inventories at once came with microversion 1.5.", headers={"allow": "GET, POST, PUT"}
        )
    provider = find(call.db, uuid)
    advance(call.db, provider, None)
    actions.replace(call, provider, {})


def show(call: Call, uuid: str, resource_class: str) -> Reply:
    provider = find(call.db, uuid)
    item = call.db.get(Inventory, (provider.id, resource_class))
    if item is None:
        raise NotFound(f"No inventory of class {resource_class} for {provider.id}.")
    return fresh(call, views.one(provider, item), when=provider.updated_at)


def update(call: Call, uuid: str, resource_class: str, body: StockBody) -> Reply:
    provider = find(call.db, uuid)
    advance(call.db, provider, body.resource_provider_generation)
    item = call.db.get(Inventory, (provider.id, resource_class))
    if item is None:
        raise BadRequest(
            f"Resource provider {provider.id} has no inventory of {resource_class} to change; POST makes one."
        )
    actions.put(call, provider, {resource_class: body})
    return fresh(call, views.one(provider, item), when=provider.updated_at)


def destroy(call: Call, uuid: str, resource_class: str) -> None:
    provider = find(call.db, uuid)
    advance(call.db, provider, None)
    if call.db.get(Inventory, (provider.id, resource_class)) is None:
        raise NotFound(f"No inventory of class {resource_class} found for delete at resource provider {provider.id}.")
    actions.remove(call.db, provider, {resource_class})


ROUTES = (
    Route("GET", PATH, index, f"{RULE}:list"),
    Route("PUT", PATH, replace, f"{RULE}:update"),
    Route("POST", PATH, create, f"{RULE}:create", status=201),
    Route("DELETE", PATH, clear, f"{RULE}:delete", status=204),
    Route("GET", ONE, show, f"{RULE}:show"),
    Route("PUT", ONE, update, f"{RULE}:update"),
    Route("DELETE", ONE, destroy, f"{RULE}:delete", status=204),
)
