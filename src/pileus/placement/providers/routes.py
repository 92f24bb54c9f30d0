"""Resource providers: who has something to give (Placement API, Resource providers)."""

from pileus.kernel.http.call import Call, Reply
from pileus.kernel.http.routes import Route
from pileus.kernel.http.schema import UNSET
from pileus.placement.freshness import fresh
from pileus.placement.providers import actions, queries
from pileus.placement.providers.schemas import NewProvider, ProviderChange
from pileus.placement.providers.views import view

PATH = "/resource_providers"
ONE = f"{PATH}/{{uuid}}"


def index(call: Call) -> Reply:
    found = queries.listed(call)
    newest = max((provider.updated_at for provider in found), default=None)
    return fresh(call, {"resource_providers": [view(call, provider) for provider in found]}, when=newest)


def create(call: Call, body: NewProvider) -> Reply:
    wanted = body.uuid if body.uuid is not UNSET else None
    parent = body.parent_provider_uuid if body.parent_provider_uuid is not UNSET else None
    made = actions.create(call.db, body.name, wanted, parent)
    location = {"location": call.url(f"{PATH}/{made.id}")}
    if call.at_least(1, 20):
        return fresh(call, view(call, made), when=made.updated_at, status=200, headers=location)
    return Reply(None, status=201, headers=location)


def show(call: Call, uuid: str) -> Reply:
    provider = queries.find(call.db, uuid)
    return fresh(call, view(call, provider), when=provider.updated_at)


def update(call: Call, uuid: str, body: ProviderChange) -> Reply:
    provider = queries.find(call.db, uuid)
    actions.rename(call.db, provider, body.name)
    if body.parent_provider_uuid is not UNSET:
        actions.move(call.db, provider, body.parent_provider_uuid, freely=call.at_least(1, 37))
    return fresh(call, view(call, provider), when=provider.updated_at)


def destroy(call: Call, uuid: str) -> None:
    actions.remove(call.db, queries.find(call.db, uuid))


ROUTES = (
    Route("GET", PATH, index, "placement:resource_providers:list"),
    Route("POST", PATH, create, "placement:resource_providers:create"),
    Route("GET", ONE, show, "placement:resource_providers:show"),
    Route("PUT", ONE, update, "placement:resource_providers:update"),
    Route("DELETE", ONE, destroy, "placement:resource_providers:delete", status=204),
)
