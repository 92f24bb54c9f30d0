"""Proofs of who somebody is. Every refusal is the same 401, and takes the same time where a password is involved."""

from collections.abc import Callable, Mapping

from pileus.identity.federation.login import external
from pileus.identity.tokens.login import Login, refused
from pileus.identity.tokens.methods import application_credential, oauth1, password, token, totp
from pileus.identity.tokens.payload import chain
from pileus.identity.tokens.schemas import Identity
from pileus.kernel.errors import BadRequest, Unauthorized
from pileus.kernel.http.call import Call

METHODS: Mapping[str, Callable[[Call, Identity], Login]] = {
    "password": password.prove,
    "totp": totp.prove,
    "token": token.prove,
    "application_credential": application_credential.prove,
    "oauth1": oauth1.prove,
    "external": external.prove,
}


def log_in(call: Call, identity: Identity) -> Login:
    """Every method named must prove the same user. Raises Unauthorized, NotFound (a bad token) or BadRequest (data missing)."""
    if not identity.methods:
        raise BadRequest("auth.identity.methods must name at least one method.")
    logins = [_prove(call, identity, method) for method in dict.fromkeys(identity.methods)]
    if len({login.user_id for login in logins}) != 1:
        raise refused("the methods prove different users")
    methods: tuple[str, ...] = ()
    for login in logins:
        methods = chain(methods, login.methods)
    return Login(
        user_id=logins[0].user_id,
        methods=methods,
        parent=next((login.parent for login in logins if login.parent), None),
        delegation=next((login.delegation for login in logins if login.delegation), None),
        project_id=next((login.project_id for login in logins if login.project_id), None),
        federation=next((login.federation for login in logins if login.federation), None),
        thumbprint=next((login.thumbprint for login in logins if login.thumbprint), None),
        ends=min((login.ends for login in logins if login.ends), default=None),
    )


def _prove(call: Call, identity: Identity, method: str) -> Login:
    prove = METHODS.get(method)
    if prove is None:
        raise Unauthorized(f"Authentication method {method!r} is not supported; supported: {', '.join(METHODS)}.")
    return prove(call, identity)
