"""A bearer token of the provider, as command line clients send it (`v3oidcpassword`, `v3oidcaccesstoken`, …)."""

from pileus.identity.federation.login.oidc import claims
from pileus.identity.federation.login.oidc.provider import OpenIdProvider
from pileus.identity.federation.login.outgoing import ProviderFailed
from pileus.identity.federation.login.proof import Proof
from pileus.identity.tokens.login import refused
from pileus.kernel.errors import Unauthorized


def proof(provider: OpenIdProvider, authorization: str | None) -> Proof:
    """Raises Unauthorized. A token for anybody else than this cloud is refused, whoever the provider says it is of."""
    kind, _, token = (authorization or "").partition(" ")
    if kind.lower() != "bearer" or not token.strip():
        raise Unauthorized(
            "A bearer token of the identity provider is needed in the header Authorization.",
            headers={"www-authenticate": "Bearer"},
        )
    settings = provider.settings
    try:
        if settings.introspect:
            found = provider.introspect(token.strip())
        else:
            found = provider.verify(token.strip(), (settings.client_id, *settings.audiences))
        if settings.userinfo:
            found = {**provider.userinfo(token.strip(), str(found["sub"])), **found}
    except ProviderFailed as error:
        raise refused(str(error)) from None
    return claims.proof(provider, found)
