"""By an OAuth1 access token: the request is signed with its secret and its consumer's."""

from pileus.identity.oauth1 import provider
from pileus.identity.tokens.login import Login
from pileus.identity.tokens.payload import Delegation
from pileus.identity.tokens.schemas import Identity
from pileus.kernel.http.call import Call


def prove(call: Call, identity: Identity) -> Login:
    """`auth.identity.oauth1` is an empty object: all is in the Authorization header."""
    token = provider.login(call)
    return Login(
        user_id=token.user_id,
        methods=("oauth1",),
        delegation=Delegation("access_token", token.id),
        project_id=token.project_id,
        ends=token.expires_at,
    )
