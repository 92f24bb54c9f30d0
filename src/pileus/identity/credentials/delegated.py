"""What a delegated token may do with its user's credentials: only with those that bear its own delegation.

Else a token with few rights could make, or read, a secret that opens everything its user has.
"""

from pileus.identity.application_credentials.models import ApplicationCredential
from pileus.identity.tokens.authenticator import TokenAuthenticator
from pileus.identity.tokens.payload import BadToken, Delegation
from pileus.kernel.errors import Forbidden, Unauthorized
from pileus.kernel.http.call import Call


def delegation(call: Call) -> Delegation | None:
    """What the caller's token was made from; None for one that its user got with secrets of their own."""
    if not call.context.delegated:
        return None
    try:
        return call.cloud.part(TokenAuthenticator).payload(call.context).delegation
    except BadToken:
        raise Unauthorized("The token has just ended.") from None


def writer(call: Call) -> Delegation | None:
    """As `delegation`; raises Forbidden for one that may not change credentials at all."""
    given = delegation(call)
    if given is not None and given.kind == "application_credential":
        row = call.db.get(ApplicationCredential, given.id)
        if row is None or not row.unrestricted:
            raise Forbidden("A token of a restricted application credential can not manage credentials.")
    return given
