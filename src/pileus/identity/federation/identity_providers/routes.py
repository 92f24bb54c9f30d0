"""Identity providers."""

from sqlalchemy import select

from pileus.identity.envelope import collection
from pileus.identity.federation.identity_providers import actions, replies
from pileus.identity.federation.identity_providers.models import IdentityProvider
from pileus.identity.federation.identity_providers.schemas import IdentityProviderBody, IdentityProviderShape
from pileus.identity.federation.identity_providers.views import PATH, view
from pileus.identity.federation.names import chosen_id
from pileus.identity.lookup import find
from pileus.kernel.errors import BadRequest, Conflict
from pileus.kernel.http.call import Call, Json
from pileus.kernel.http.listing import Listing, exact, flag
from pileus.kernel.http.routes import Route
from pileus.kernel.http.schema import UNSET

PROVIDERS = Listing(
    model=IdentityProvider,
    key=IdentityProvider.id,
    filters={"id": exact(IdentityProvider.id), "enabled": flag(IdentityProvider.enabled)},
    sort={"id": IdentityProvider.id},
    default_sort=(("id", "asc"),),
    always_limited=False,
)


def provider(call: Call, idp_id: str) -> IdentityProvider:
    return find(call, IdentityProvider, idp_id, "Identity provider")


def index(call: Call) -> Json:
    page = PROVIDERS.page(call, select(IdentityProvider))
    known = actions.remote_ids(call.db, [row.id for row in page.items])
    rows = [view(call, row, known[row.id]) for row in page.items]
    return collection(call, PATH, "identity_providers", rows, PROVIDERS.next_link(call, page, PATH))


def create(call: Call, idp_id: str, body: IdentityProviderBody) -> Json:
    given = body.identity_provider
    if call.db.get(IdentityProvider, idp_id) is not None:
        raise Conflict(f"Identity provider {idp_id} exists already.")
    domain_id = actions.home(call.db, idp_id, given.domain_id if isinstance(given.domain_id, str) else None)
    made = IdentityProvider(id=chosen_id(idp_id), domain_id=domain_id, enabled=False)
    call.db.add(made)
    call.db.flush()
    _fill(call, made, given)
    return show(call, made)


def show(call: Call, target: IdentityProvider) -> Json:
    call.db.flush()
    return {"identity_provider": view(call, target, actions.remote_ids(call.db, [target.id])[target.id])}


def update(call: Call, target: IdentityProvider, body: IdentityProviderBody) -> Json:
    given = body.identity_provider
    if given.domain_id is not UNSET:
        raise BadRequest("domain_id of an identity provider can not be changed: delete it and make it again.")
    if target.enabled and given.enabled is False:
        actions.end_tokens(call, target.id)
    _fill(call, target, given)
    return show(call, target)


def destroy(call: Call, target: IdentityProvider) -> None:
    """Its users stay, for what they own; nobody can log in as them."""
    actions.end_tokens(call, target.id)
    call.db.delete(target)


def _fill(call: Call, row: IdentityProvider, given: IdentityProviderShape) -> None:
    if given.enabled is not UNSET:
        row.enabled = given.enabled
    if given.description is not UNSET:
        row.description = given.description
    if given.authorization_ttl is not UNSET:
        row.authorization_ttl = given.authorization_ttl
    if given.remote_ids is not UNSET:
        actions.set_remote_ids(call.db, row, given.remote_ids or [])


ONE = f"{PATH}/{{idp_id}}"
ROUTES = (
    Route("GET", PATH, index, "identity:list_identity_providers", reply=replies.PROVIDERS, query=PROVIDERS),
    Route("PUT", ONE, create, "identity:create_identity_provider", status=201, reply=replies.PROVIDER),
    Route("GET", ONE, show, "identity:get_identity_provider", load=provider, reply=replies.PROVIDER),
    Route("PATCH", ONE, update, "identity:update_identity_provider", load=provider, reply=replies.PROVIDER),
    Route("DELETE", ONE, destroy, "identity:delete_identity_provider", load=provider, status=204),
)
