"""Claims of a token, as attributes that mappings name."""

import msgspec

from pileus.identity.federation.login.oidc.provider import OpenIdProvider
from pileus.identity.federation.login.proof import Proof
from pileus.kernel.http.call import Json

ISSUER = "HTTP_OIDC_ISS"


def proof(provider: OpenIdProvider, claims: Json, *, once: str | None = None) -> Proof:
    """Each claim as `OIDC-<claim>` and as `HTTP_OIDC_<CLAIM>`, the names that mappings written for Apache's module use."""
    attributes: dict[str, tuple[str, ...]] = {}
    for name, value in claims.items():
        values = tuple(text for item in (value if isinstance(value, list) else [value]) if (text := _text(item)))
        if values:
            attributes[f"OIDC-{name}"] = values
            attributes[f"HTTP_OIDC_{name.upper().replace('-', '_')}"] = values
    if user := _text(claims.get(provider.settings.remote_user_claim)):
        attributes["REMOTE_USER"] = (user,)
    attributes["OIDC-iss"] = attributes[ISSUER] = (provider.settings.issuer,)
    return Proof(attributes=attributes, issuer_attribute=ISSUER, once=once)


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "1" if value else "0"
    if value is None or isinstance(value, str):
        return value or ""
    return msgspec.json.encode(value).decode()
