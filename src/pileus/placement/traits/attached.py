"""The traits of one provider (Placement API, Resource provider traits)."""

from sqlalchemy import delete, select

from pileus.kernel.errors import BadRequest
from pileus.kernel.http.call import Call, Json, Reply
from pileus.kernel.http.routes import Route
from pileus.kernel.http.schema import Shape
from pileus.placement.freshness import fresh
from pileus.placement.names import Name
from pileus.placement.providers.generation import advance
from pileus.placement.providers.models import Provider, ProviderTrait
from pileus.placement.providers.queries import find
from pileus.placement.traits import catalogue

PATH = "/resource_providers/{uuid}/traits"
RULE = "placement:resource_providers:traits"


class TraitsBody(Shape):
    resource_provider_generation: int
    traits: list[Name]


def index(call: Call, uuid: str) -> Reply:
    provider = find(call.db, uuid)
    return fresh(call, _view(call, provider), when=provider.updated_at)


def replace(call: Call, uuid: str, body: TraitsBody) -> Reply:
    provider = find(call.db, uuid)
    advance(call.db, provider, body.resource_provider_generation)
    if len(set(body.traits)) != len(body.traits):
        raise BadRequest("A trait comes twice in traits.")
    if strange := catalogue.unknown(call.db, body.traits):
        raise BadRequest(f"No such trait: {', '.join(sorted(strange))}.")
    _set(call, provider, body.traits)
    return fresh(call, _view(call, provider), when=provider.updated_at)


def clear(call: Call, uuid: str) -> None:
    provider = find(call.db, uuid)
    advance(call.db, provider, None)
    _set(call, provider, [])


def _set(call: Call, provider: Provider, names: list[str]) -> None:
    call.db.execute(delete(ProviderTrait).where(ProviderTrait.provider_id == provider.id))
    call.db.add_all(ProviderTrait(provider_id=provider.id, trait=name) for name in names)
    call.db.flush()


def _view(call: Call, provider: Provider) -> Json:
    held = select(ProviderTrait.trait).where(ProviderTrait.provider_id == provider.id).order_by(ProviderTrait.trait)
    return {"traits": list(call.db.scalars(held)), "resource_provider_generation": provider.generation}


ROUTES = (
    Route("GET", PATH, index, f"{RULE}:list", since="1.6"),
    Route("PUT", PATH, replace, f"{RULE}:update", since="1.6"),
    Route("DELETE", PATH, clear, f"{RULE}:delete", since="1.6", status=204),
)
