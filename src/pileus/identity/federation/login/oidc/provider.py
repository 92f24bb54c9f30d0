"""An OpenID Connect provider, as a relying party sees it: its discovery document, its keys, its tokens."""

import threading
import time
from base64 import b64encode
from typing import TYPE_CHECKING
from urllib.parse import quote_plus

from pileus.identity.federation.login import outgoing
from pileus.identity.federation.login.outgoing import ProviderFailed
from pileus.identity.federation.settings import OidcProvider
from pileus.identity.tokens.login import refused
from pileus.kernel.http.call import Json

if TYPE_CHECKING:
    import jwt

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
LEEWAY = 30  # seconds that clocks may differ
FRESH = 3600.0  # seconds that the discovery document and the keys are kept
PAUSE = 30.0  # seconds between two looks for a key that we do not know
DOWN = 3.0  # seconds that a provider which did not answer is not asked again


class OpenIdProvider:
    def __init__(self, settings: OidcProvider) -> None:
        self.settings = settings
        self._lock = threading.Lock()
        self._about: tuple[float, Json] | None = None
        self._keys: tuple[float, Json] | None = None
        self._down_until = 0.0

    def about(self) -> Json:
        """The discovery document. Raises ProviderFailed."""
        with self._lock:
            if self._about is None or time.monotonic() > self._about[0] + FRESH:
                issuer = self.settings.issuer
                url = self.settings.discovery_url or issuer.rstrip("/") + "/.well-known/openid-configuration"
                found = self._fetch(url)
                if found.get("issuer") != issuer:
                    raise ProviderFailed(f"{url} is of issuer {found.get('issuer')!r}, not of {issuer!r}")
                self._about = time.monotonic(), found
            return self._about[1]

    def _fetch(self, url: str) -> Json:
        """Under the lock. Of a provider that does not answer it is said at once for a moment: those who wait do not wait in a row."""
        if time.monotonic() < self._down_until:
            raise ProviderFailed(f"{url} did not answer a moment ago")
        try:
            return outgoing.get(url, ca_file=self.settings.ca_file)
        except ProviderFailed:
            self._down_until = time.monotonic() + DOWN
            raise

    def endpoint(self, name: str) -> str:
        found = self.about().get(name)
        if not isinstance(found, str):
            raise ProviderFailed(f"the discovery document of {self.settings.issuer} has no {name}")
        return found

    def verify(self, token: str, audiences: tuple[str, ...], nonce: str | None = None) -> Json:
        """The claims of a JWT of this provider for one of `audiences`. Raises Unauthorized, ProviderFailed."""
        import jwt

        try:
            header = jwt.get_unverified_header(token)
            if header.get("alg") not in ALGORITHMS:
                raise refused(f"a JWT is signed with {header.get('alg')!r}; known: {', '.join(ALGORITHMS)}")
            found: Json = jwt.decode(
                token,
                self._key(header.get("kid"), str(header["alg"])),
                algorithms=[str(header["alg"])],
                audience=list(audiences),
                issuer=self.settings.issuer,
                leeway=LEEWAY,
                options={"require": ["exp", "iss", "aud", "sub"]},
            )
        except jwt.PyJWTError as error:
            raise refused(f"a JWT of {self.settings.issuer} is not good: {error}") from None
        if nonce is not None and found.get("nonce") != nonce:
            raise refused("an ID token has another nonce than we asked for")
        if nonce is not None and found.get("azp", self.settings.client_id) != self.settings.client_id:
            raise refused(f"an ID token was issued to {found.get('azp')!r}")
        return found

    def _key(self, key_id: object, algorithm: str) -> "jwt.PyJWK":
        """Looked for at the provider again when it is not known, but not more often than every PAUSE seconds."""
        for again in (False, True):
            fitting = [
                key
                for key in self._key_set(again=again)
                if (key_id is None or key.key_id == key_id) and key.public_key_use in (None, "sig")
            ]
            fitting = [key for key in fitting if key.algorithm_name == algorithm or key.key_type == _family(algorithm)]
            if len(fitting) == 1 or (fitting and key_id is not None):
                return fitting[0]
        raise refused(f"{self.settings.issuer} has no key {key_id!r} for {algorithm}")

    def _key_set(self, *, again: bool) -> "list[jwt.PyJWK]":
        import jwt

        url = self.endpoint("jwks_uri")
        with self._lock:
            age = time.monotonic() - self._keys[0] if self._keys else None
            if age is None or age > FRESH or (again and age > PAUSE):
                self._keys = time.monotonic(), self._fetch(url)
            assert self._keys is not None
            found = self._keys[1]
        return jwt.PyJWKSet.from_dict(found).keys

    def exchange(self, code: str, verifier: str, redirect: str) -> Json:
        """The tokens for a code. Raises ProviderFailed."""
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect, "code_verifier": verifier}
        return self._post("token_endpoint", form)

    def introspect(self, token: str) -> Json:
        """What the provider says about a token that only it can read. Raises Unauthorized, ProviderFailed."""
        found = self._post("introspection_endpoint", {"token": token, "token_type_hint": "access_token"})
        if found.get("active") is not True:
            raise refused(f"{self.settings.issuer} says that a token is not active")
        said = found.get("aud", found.get("client_id"))
        audiences = said if isinstance(said, list) else [said]
        if not {self.settings.client_id, *self.settings.audiences} & {str(one) for one in audiences}:
            raise refused(f"a token is for {audiences}")
        if found.get("iss", self.settings.issuer) != self.settings.issuer or not isinstance(found.get("sub"), str):
            raise refused(f"a token is of issuer {found.get('iss')!r}, about {found.get('sub')!r}")
        expires = found.get("exp")
        if isinstance(expires, int | float) and expires + LEEWAY < time.time():
            raise refused("a token is over")
        return {**found, "iss": self.settings.issuer}

    def userinfo(self, access_token: str, subject: str) -> Json:
        """More claims about the same subject. Raises Unauthorized, ProviderFailed."""
        found = outgoing.get(self.endpoint("userinfo_endpoint"), bearer=access_token, ca_file=self.settings.ca_file)
        if found.get("sub") != subject:
            raise refused("the claims are of another subject than the token")
        return found

    def _post(self, endpoint: str, form: dict[str, str]) -> Json:
        """As the client that the provider knows: by its secret, or by nothing but its id when it has none."""
        name, secret = self.settings.client_id, self.settings.client_secret
        authorization = None
        if secret:
            pair = f"{quote_plus(name)}:{quote_plus(secret)}".encode()
            authorization = f"Basic {b64encode(pair).decode()}"
        else:
            form = {**form, "client_id": name}
        return outgoing.post(self.endpoint(endpoint), form, authorization=authorization, ca_file=self.settings.ca_file)


def _family(algorithm: str) -> str:
    return {"RS": "RSA", "PS": "RSA", "ES": "EC", "Ed": "OKP"}[algorithm[:2]]
