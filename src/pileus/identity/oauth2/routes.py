"""OAuth 2.0's token endpoint (RFC 6749, 4.4; RFC 8705): a client's own token, by its secret or its certificate."""

import asyncio

from starlette.responses import JSONResponse

from pileus.identity.oauth2 import clients, form, replies
from pileus.identity.oauth2.errors import FRESH, Refusal, unknown_client
from pileus.identity.tokens import factors, scopes
from pileus.identity.tokens.authenticator import TokenAuthenticator
from pileus.identity.tokens.login import Login
from pileus.identity.tokens.payload import now_ms
from pileus.identity.users import activity
from pileus.identity.users.models import User
from pileus.kernel.http import certificate
from pileus.kernel.http.call import Call, Json
from pileus.kernel.http.routes import PUBLIC, Route
from pileus.kernel.http.schema import UNSET


async def create(call: Call) -> JSONResponse:
    """A stream, because the body is a form; the work is in a thread, because a secret is hashed."""
    try:
        asked = await form.read(call.request)
        if asked.get("grant_type") != "client_credentials":
            code = "unsupported_grant_type" if asked.get("grant_type") else "invalid_request"
            raise Refusal(code, "The only grant_type is client_credentials.")
        return JSONResponse(await asyncio.to_thread(_grant, call, asked), 200, FRESH)
    except Refusal as refusal:
        return refusal.response()


def _grant(call: Call, asked: dict[str, str]) -> Json:
    known = form.basic(call.request.headers)
    with call.transaction():
        if known is not None:
            clients.check_other_ways(asked)
            login = clients.by_secret(call, *known)
        else:
            shown = certificate.shown(call.cloud.config.cloud, call.request)
            if shown is None:
                raise unknown_client()
            login = clients.by_certificate(call, asked.get("client_id", ""), shown)
        return _token(call, login)


def _token(call: Call, login: Login) -> Json:
    """For the application credential's project, or for the user's default one as far as it is usable."""
    user = call.db.get(User, login.user_id)
    if user is None or activity.is_over(call.cloud, user) or factors.missing(user.options, login.methods):
        raise unknown_client()
    tokens = call.cloud.part(TokenAuthenticator)
    scope, named = scopes.wanted(call.db, login, UNSET)
    for attempt in (scope,) if named else (scope, scopes.UNSCOPED):
        issued = tokens.issue(
            call.db,
            login.user_id,
            attempt,
            login.methods,
            delegation=login.delegation,
            thumbprint=login.thumbprint,
            ends=login.ends,
        )
        if issued is not None:
            token, verified = issued
            activity.seen(call.cloud, user)
            left = (verified.payload.expires - now_ms()) // 1000
            return {"access_token": token, "token_type": "Bearer", "expires_in": max(0, left)}
    raise unknown_client()


ROUTES = (
    Route(
        "POST",
        "/v3/OS-OAUTH2/token",
        create,
        PUBLIC,
        stream=True,
        write=False,
        reply=replies.TOKEN,
        described=replies.DESCRIBED,
    ),
)
