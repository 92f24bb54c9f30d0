"""By a token that one has: to another scope, never to more time."""

from pileus.identity.tokens.authenticator import TokenAuthenticator
from pileus.identity.tokens.login import Login
from pileus.identity.tokens.methods import given
from pileus.identity.tokens.payload import BadToken, chain
from pileus.identity.tokens.schemas import Identity
from pileus.kernel.errors import Forbidden, NotFound
from pileus.kernel.http.call import Call


def prove(call: Call, identity: Identity) -> Login:
    asked = given.part(identity.token, "token")
    try:
        parent = call.cloud.part(TokenAuthenticator).verify(call.db, asked.id).payload
    except BadToken:
        raise NotFound("The token in auth.identity.token could not be found.") from None
    if parent.delegation is not None:
        raise Forbidden("A token of a delegation (application credential, trust, access token) can not be exchanged.")
    return Login(
        user_id=parent.user_id,
        methods=chain(parent.methods, ("token",)),
        parent=parent,
        federation=parent.federation,
        thumbprint=parent.thumbprint,
    )
