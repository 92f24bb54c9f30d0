"""Service providers."""

from typing import Annotated

from msgspec import Meta
from sqlalchemy import select

from pileus.identity.envelope import collection
from pileus.identity.federation.names import Address, chosen_id
from pileus.identity.federation.service_providers import replies
from pileus.identity.federation.service_providers.models import ServiceProvider
from pileus.identity.federation.service_providers.offers import Offers
from pileus.identity.lookup import find
from pileus.kernel.errors import BadRequest, Conflict
from pileus.kernel.http.call import Call, Json
from pileus.kernel.http.listing import Listing, exact, flag
from pileus.kernel.http.routes import Route
from pileus.kernel.http.schema import UNSET, Shape, Unset

PATH = "/v3/OS-FEDERATION/service_providers"
ONE = f"{PATH}/{{sp_id}}"
RELAY_STATE = "ss:mem:"  # what upstream's service providers expect unless told otherwise

PROVIDERS = Listing(
    model=ServiceProvider,
    key=ServiceProvider.id,
    filters={"id": exact(ServiceProvider.id), "enabled": flag(ServiceProvider.enabled)},
    sort={"id": ServiceProvider.id},
    default_sort=(("id", "asc"),),
    always_limited=False,
)


class ServiceProviderShape(Shape):
    auth_url: Address | Unset = UNSET
    sp_url: Address | Unset = UNSET
    enabled: bool | Unset = UNSET
    description: str | Unset | None = UNSET
    relay_state_prefix: Annotated[str, Meta(max_length=256)] | Unset | None = UNSET


class ServiceProviderBody(Shape):
    service_provider: ServiceProviderShape


def view(call: Call, row: ServiceProvider) -> Json:
    return {
        "id": row.id,
        "auth_url": row.auth_url,
        "sp_url": row.sp_url,
        "enabled": row.enabled,
        "description": row.description,
        "relay_state_prefix": row.relay_state_prefix,
        "links": {"self": call.url(f"{PATH}/{row.id}")},
    }


def provider(call: Call, sp_id: str) -> ServiceProvider:
    return find(call, ServiceProvider, sp_id, "Service provider")


def index(call: Call) -> Json:
    page = PROVIDERS.page(call, select(ServiceProvider))
    rows = [view(call, row) for row in page.items]
    return collection(call, PATH, "service_providers", rows, PROVIDERS.next_link(call, page, PATH))


def create(call: Call, sp_id: str, body: ServiceProviderBody) -> Json:
    given = body.service_provider
    if given.auth_url is UNSET or given.sp_url is UNSET:
        raise BadRequest("Invalid input: a service provider needs `auth_url` and `sp_url` - at `$.service_provider`")
    if call.db.get(ServiceProvider, sp_id) is not None:
        raise Conflict(f"Service provider {sp_id} exists already.")
    made = ServiceProvider(id=chosen_id(sp_id), enabled=False, relay_state_prefix=RELAY_STATE)
    _fill(made, given)
    call.db.add(made)
    call.db.flush()
    _offer_anew(call)
    return show(call, made)


def show(call: Call, target: ServiceProvider) -> Json:
    return {"service_provider": view(call, target)}


def update(call: Call, target: ServiceProvider, body: ServiceProviderBody) -> Json:
    _fill(target, body.service_provider)
    _offer_anew(call)
    return show(call, target)


def destroy(call: Call, target: ServiceProvider) -> None:
    call.db.delete(target)
    _offer_anew(call)


def _offer_anew(call: Call) -> None:
    call.after_commit(call.cloud.part(Offers).forget)


def _fill(row: ServiceProvider, given: ServiceProviderShape) -> None:
    if given.auth_url is not UNSET:
        row.auth_url = given.auth_url
    if given.sp_url is not UNSET:
        row.sp_url = given.sp_url
    if given.enabled is not UNSET:
        row.enabled = given.enabled
    if given.description is not UNSET:
        row.description = given.description
    if given.relay_state_prefix is not UNSET:
        row.relay_state_prefix = given.relay_state_prefix or RELAY_STATE


ROUTES = (
    Route("GET", PATH, index, "identity:list_service_providers", reply=replies.PROVIDERS, query=PROVIDERS),
    Route("PUT", ONE, create, "identity:create_service_provider", status=201, reply=replies.PROVIDER),
    Route("GET", ONE, show, "identity:get_service_provider", load=provider, reply=replies.PROVIDER),
    Route("PATCH", ONE, update, "identity:update_service_provider", load=provider, reply=replies.PROVIDER),
    Route("DELETE", ONE, destroy, "identity:delete_service_provider", load=provider, status=204),
)
