"""The steps from a consumer's question to its access token: asked, answered by a user, exchanged."""

from starlette.responses import Response

from pileus.identity import held
from pileus.identity.oauth1 import provider, replies
from pileus.identity.oauth1.derivation import Deriver
from pileus.identity.oauth1.models import RequestToken, RequestTokenRole
from pileus.identity.oauth1.schemas import Authorization
from pileus.kernel import clock
from pileus.kernel.errors import BadRequest, Conflict, Forbidden, NotFound
from pileus.kernel.http.call import Call, Json
from pileus.kernel.http.routes import PUBLIC, Route

FORM = "application/x-www-form-urlencoded"


def ask(call: Call) -> Response:
    return Response(provider.request_token(call).body, 201, media_type=FORM)


def exchange(call: Call) -> Response:
    return Response(provider.access_token(call).body, 201, media_type=FORM)


def authorize(call: Call, request_token_id: str, body: Authorization) -> Json:
    """The caller says yes, once, with roles of its own. The verifier goes to the consumer by way of the user."""
    if call.context.delegated:
        raise Forbidden("A delegated token can not hand its roles on to a consumer.")
    asked = call.db.get(RequestToken, request_token_id, with_for_update=True)
    if asked is None or asked.expires_at <= clock.now():
        raise NotFound(f"Request token {request_token_id} could not be found, or is over.")
    if asked.authorizing_user_id is not None:
        raise Conflict(f"Request token {request_token_id} was authorized already.")
    if not body.roles:
        raise BadRequest("roles must name at least one role.")
    user_id = str(call.context.user_id)
    chosen = held.choose(call.db, held.roles(call.db, user_id, asked.project_id), body.roles)
    asked.authorizing_user_id = user_id
    call.db.add_all(RequestTokenRole(token_id=asked.id, role_id=role_id) for role_id in chosen)
    return {"token": {"oauth_verifier": call.cloud.part(Deriver).secret("verifier", asked.id)}}


_REQUEST, _ACCESS = "/v3/OS-OAUTH1/request_token", "/v3/OS-OAUTH1/access_token"
ROUTES = (
    Route("POST", _REQUEST, ask, PUBLIC, status=201, reply=replies.FORM),
    Route(
        "PUT",
        "/v3/OS-OAUTH1/authorize/{request_token_id}",
        authorize,
        "identity:authorize_request_token",
        reply=replies.VERIFIER,
    ),
    Route("POST", _ACCESS, exchange, PUBLIC, status=201, reply=replies.FORM),
)
