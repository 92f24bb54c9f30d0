"""What a user has let OAuth1 consumers do, and taking it back."""

from sqlalchemy import select

from pileus.identity.envelope import collection
from pileus.identity.oauth1 import replies
from pileus.identity.oauth1.models import AccessToken, AccessTokenRole
from pileus.identity.roles.models import Role
from pileus.identity.tokens import revocation
from pileus.identity.users.models import User
from pileus.identity.users.owned import Owned, owned
from pileus.identity.users.routes import user
from pileus.kernel.clock import iso_micro
from pileus.kernel.errors import Forbidden, NotFound
from pileus.kernel.http.call import Call, Json
from pileus.kernel.http.listing import Listing, exact
from pileus.kernel.http.routes import Route

ACCESS_TOKENS = Listing(
    model=AccessToken,
    key=AccessToken.id,
    filters={"consumer_id": exact(AccessToken.consumer_id), "project_id": exact(AccessToken.project_id)},
    sort={"id": AccessToken.id},
    default_sort=(("id", "asc"),),
    always_limited=False,
)
OWNED = owned(AccessToken, AccessToken.user_id, "access_token_id", "Access token")


def index(call: Call, target: User) -> Json:
    page = ACCESS_TOKENS.page(call, select(AccessToken).where(AccessToken.user_id == target.id))
    path = _ALL.format(user_id=target.id)
    link = ACCESS_TOKENS.next_link(call, page, path)
    return collection(call, path, "access_tokens", [_view(call, row) for row in page.items], link)


def show(call: Call, target: Owned[AccessToken]) -> Json:
    return {"access_token": _view(call, target.row)}


def destroy(call: Call, target: Owned[AccessToken]) -> None:
    if call.context.delegated:
        raise Forbidden("A delegated token can not end its user's access tokens.")
    call.db.delete(target.row)
    revocation.look_again(call)


def list_roles(call: Call, target: Owned[AccessToken]) -> Json:
    path = _path(target.row) + "/roles"
    return collection(call, path, "roles", [_role_view(call, role) for role in _roles(call, target.row)])


def show_role(call: Call, target: Owned[AccessToken], role_id: str) -> Json:
    role = next((role for role in _roles(call, target.row) if role.id == role_id), None)
    if role is None:
        raise NotFound(f"Access token {target.row.id} does not give role {role_id}.")
    return {"role": _role_view(call, role)}


def _roles(call: Call, token: AccessToken) -> list[Role]:
    query = select(Role).join(AccessTokenRole, AccessTokenRole.role_id == Role.id)
    return list(call.db.scalars(query.where(AccessTokenRole.token_id == token.id).order_by(Role.name)))


def _path(token: AccessToken) -> str:
    return f"{_ALL.format(user_id=token.user_id)}/{token.id}"


def _view(call: Call, token: AccessToken) -> Json:
    own = call.url(_path(token))
    return {
        "id": token.id,
        "consumer_id": token.consumer_id,
        "project_id": token.project_id,
        "authorizing_user_id": token.user_id,
        "expires_at": iso_micro(token.expires_at),
        "links": {"self": own, "roles": own + "/roles"},
    }


def _role_view(call: Call, role: Role) -> Json:
    links = {"self": call.url(f"/v3/roles/{role.id}")}
    return {"id": role.id, "name": role.name, "domain_id": role.domain_id or None, "links": links}


_ALL = "/v3/users/{user_id}/OS-OAUTH1/access_tokens"
_ONE = _ALL + "/{access_token_id}"
ROUTES = (
    Route("GET", _ALL, index, "identity:list_access_tokens", load=user, reply=replies.ACCESS_TOKENS),
    Route("GET", _ONE, show, "identity:get_access_token", load=OWNED, reply=replies.ACCESS_TOKEN),
    Route("DELETE", _ONE, destroy, "identity:delete_access_token", load=OWNED, status=204),
    Route("GET", _ONE + "/roles", list_roles, "identity:list_access_token_roles", load=OWNED, reply=replies.ROLES),
    Route(
        "GET", _ONE + "/roles/{role_id}", show_role, "identity:get_access_token_role", load=OWNED, reply=replies.ROLE
    ),
)
