"""Aggregates that a provider is in (Placement API, Resource provider aggregates). An aggregate is no more than its id."""

from sqlalchemy import delete, select

from pileus.kernel.errors import BadRequest
from pileus.kernel.http.call import Call, Json, Reply
from pileus.kernel.http.routes import Route
from pileus.kernel.http.schema import Shape
from pileus.placement.freshness import fresh
from pileus.placement.names import Uuid, canonical
from pileus.placement.providers.generation import advance
from pileus.placement.providers.models import Provider, ProviderAggregate
from pileus.placement.providers.queries import find

PATH = "/resource_providers/{uuid}/aggregates"
RULE = "placement:resource_providers:aggregates"


class AggregatesBody(Shape):
    aggregates: list[Uuid]
    resource_provider_generation: int


def index(call: Call, uuid: str) -> Reply:
    return fresh(call, _view(call, find(call.db, uuid)))


def replace_list(call: Call, uuid: str, body: list[Uuid]) -> Reply:
    """Until 1.18 the body is the list alone, and nobody compares generations."""
    provider = find(call.db, uuid)
    _set(call, provider, body)
    return fresh(call, _view(call, provider))


def replace(call: Call, uuid: str, body: AggregatesBody) -> Reply:
    provider = find(call.db, uuid)
    advance(call.db, provider, body.resource_provider_generation)
    _set(call, provider, body.aggregates)
    return fresh(call, _view(call, provider))


def _set(call: Call, provider: Provider, ids: list[str]) -> None:
    wanted = {canonical(text, "An aggregate") for text in ids}
    if len(wanted) != len(ids):
        raise BadRequest("An aggregate comes twice in aggregates.")
    call.db.execute(delete(ProviderAggregate).where(ProviderAggregate.provider_id == provider.id))
    call.db.add_all(ProviderAggregate(provider_id=provider.id, aggregate_id=aggregate) for aggregate in wanted)
    call.db.flush()


def _view(call: Call, provider: Provider) -> Json:
    held = select(ProviderAggregate.aggregate_id).where(ProviderAggregate.provider_id == provider.id)
    shown: Json = {"aggregates": list(call.db.scalars(held.order_by(ProviderAggregate.aggregate_id)))}
    return shown | ({"resource_provider_generation": provider.generation} if call.at_least(1, 19) else {})


ROUTES = (
    Route("GET", PATH, index, f"{RULE}:list", since="1.1"),
    Route("PUT", PATH, replace_list, f"{RULE}:update", since="1.1", until="1.18"),
    Route("PUT", PATH, replace, f"{RULE}:update", since="1.19"),
)
