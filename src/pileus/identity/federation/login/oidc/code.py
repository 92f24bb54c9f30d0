"""The authorization code flow of a browser, with PKCE, state and nonce."""

import base64
import hashlib
import secrets
from urllib.parse import urlencode

from pileus.identity.federation.login.oidc import claims
from pileus.identity.federation.login.oidc.provider import OpenIdProvider
from pileus.identity.federation.login.outgoing import ProviderFailed
from pileus.identity.federation.login.proof import Proof
from pileus.identity.tokens.login import refused


def address(provider: OpenIdProvider, redirect: str, state: str, nonce: str, verifier: str) -> str:
    """Where the browser goes to log in. Raises ProviderFailed."""
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    asked = {
        "response_type": "code",
        "client_id": provider.settings.client_id,
        "redirect_uri": redirect,
        "scope": provider.settings.scopes,
        "state": state,
        "nonce": nonce,
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    }
    endpoint = provider.endpoint("authorization_endpoint")
    return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(asked)}"


def new_secret() -> str:
    return secrets.token_urlsafe(32)


def proof(provider: OpenIdProvider, redirect: str, code: str, nonce: str, verifier: str) -> Proof:
    """Raises Unauthorized."""
    try:
        tokens = provider.exchange(code, verifier, redirect)
        id_token, access_token = tokens.get("id_token"), tokens.get("access_token")
        if not isinstance(id_token, str):
            raise refused("the provider gave no ID token")
        found = provider.verify(id_token, (provider.settings.client_id,), nonce)
        if provider.settings.userinfo and isinstance(access_token, str):
            found = {**provider.userinfo(access_token, str(found["sub"])), **found}
    except ProviderFailed as error:
        raise refused(str(error)) from None
    return claims.proof(provider, found, once=f"nonce {nonce}")
