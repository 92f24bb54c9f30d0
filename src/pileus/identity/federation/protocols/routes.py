"""Protocols of an identity provider."""

from typing import Annotated

from msgspec import Meta
from sqlalchemy import select

from pileus.identity.envelope import collection
from pileus.identity.federation.identity_providers import actions as providers
from pileus.identity.federation.identity_providers import routes as provider_routes
from pileus.identity.federation.identity_providers.models import IdentityProvider
from pileus.identity.federation.identity_providers.views import PATH
from pileus.identity.federation.mappings.models import Mapping
from pileus.identity.federation.names import chosen_id
from pileus.identity.federation.protocols import replies
from pileus.identity.federation.protocols.models import Protocol
from pileus.identity.lookup import missing
from pileus.kernel.errors import BadRequest, Conflict
from pileus.kernel.http.call import Call, Json
from pileus.kernel.http.listing import Listing, exact
from pileus.kernel.http.routes import Route
from pileus.kernel.http.schema import UNSET, Shape, Unset

PROTOCOLS = Listing(
    model=Protocol,
    key=Protocol.id,
    filters={"id": exact(Protocol.id), "mapping_id": exact(Protocol.mapping_id)},
    sort={"id": Protocol.id},
    default_sort=(("id", "asc"),),
    always_limited=False,
)


class ProtocolShape(Shape):
    mapping_id: Annotated[str, Meta(min_length=1, max_length=64)] | Unset = UNSET
    remote_id_attribute: Annotated[str, Meta(max_length=64)] | Unset | None = UNSET


class ProtocolBody(Shape):
    protocol: ProtocolShape


def view(call: Call, row: Protocol) -> Json:
    provider = call.url(f"{PATH}/{row.identity_provider_id}")
    return {
        "id": row.id,
        "mapping_id": row.mapping_id,
        "remote_id_attribute": row.remote_id_attribute,
        "links": {"self": f"{provider}/protocols/{row.id}", "identity_provider": provider},
    }


def protocol(call: Call, idp_id: str, protocol_id: str) -> Protocol:
    row = call.db.get(Protocol, (idp_id, protocol_id))
    if row is None:
        raise missing(call, f"Protocol of identity provider {idp_id}", protocol_id)
    return row


def index(call: Call, target: IdentityProvider) -> Json:
    page = PROTOCOLS.page(call, select(Protocol).where(Protocol.identity_provider_id == target.id))
    path = f"{PATH}/{target.id}/protocols"
    following = PROTOCOLS.next_link(call, page, path)
    return collection(call, path, "protocols", [view(call, row) for row in page.items], following)


def create(call: Call, target: IdentityProvider, protocol_id: str, body: ProtocolBody) -> Json:
    if body.protocol.mapping_id is UNSET:
        raise BadRequest("Invalid input: a protocol needs its `mapping_id` - at `$.protocol`")
    if call.db.get(Protocol, (target.id, protocol_id)) is not None:
        raise Conflict(f"Identity provider {target.id} has protocol {protocol_id} already.")
    made = Protocol(identity_provider_id=target.id, id=chosen_id(protocol_id))
    _fill(call, made, body.protocol)
    call.db.add(made)
    call.db.flush()
    return show(call, made)


def show(call: Call, target: Protocol) -> Json:
    return {"protocol": view(call, target)}


def update(call: Call, target: Protocol, body: ProtocolBody) -> Json:
    _fill(call, target, body.protocol)
    return show(call, target)


def destroy(call: Call, target: Protocol) -> None:
    providers.end_tokens(call, target.identity_provider_id, target.id)
    call.db.delete(target)


def _fill(call: Call, row: Protocol, given: ProtocolShape) -> None:
    if given.mapping_id is not UNSET:
        if call.db.get(Mapping, given.mapping_id) is None:
            raise BadRequest(f"There is no mapping {given.mapping_id}.")
        row.mapping_id = given.mapping_id
    if given.remote_id_attribute is not UNSET:
        row.remote_id_attribute = given.remote_id_attribute


EVERY = f"{PATH}/{{idp_id}}/protocols"
ONE = f"{EVERY}/{{protocol_id}}"
ROUTES = (
    Route(
        "GET",
        EVERY,
        index,
        "identity:list_protocols",
        load=provider_routes.provider,
        reply=replies.PROTOCOLS,
        query=PROTOCOLS,
    ),
    Route(
        "PUT",
        ONE,
        create,
        "identity:create_protocol",
        load=provider_routes.provider,
        status=201,
        reply=replies.PROTOCOL,
    ),
    Route("GET", ONE, show, "identity:get_protocol", load=protocol, reply=replies.PROTOCOL),
    Route("PATCH", ONE, update, "identity:update_protocol", load=protocol, reply=replies.PROTOCOL),
    Route("DELETE", ONE, destroy, "identity:delete_protocol", load=protocol, status=204),
)
