"""A browser's login: away to the identity provider, and back to the dashboard that sent it.

What must be known when it comes back is sealed into a cookie: nothing is stored for those who never do, and an answer that
somebody else's browser was given does not work in this one.
"""

from base64 import b64encode
from urllib.parse import quote, urlencode, urlsplit

import msgspec
from starlette.responses import RedirectResponse, Response

from pileus.identity.federation.login import entry, external, pages
from pileus.identity.federation.login.oidc import code
from pileus.identity.federation.login.outgoing import ProviderFailed
from pileus.identity.federation.login.parties import Parties
from pileus.identity.federation.login.proof import Proof
from pileus.identity.federation.login.seals import SECONDS
from pileus.identity.federation.settings import OidcProvider, Saml2Provider
from pileus.identity.settings import IdentitySettings
from pileus.identity.tokens.login import refused
from pileus.kernel.errors import BadRequest, Unauthorized
from pileus.kernel.http.call import Call

COOKIE = "pileus-login-"


class Trip(msgspec.Struct, frozen=True):
    """`nonce` binds the provider's answer to it."""

    way: str
    origin: str
    nonce: str
    verifier: str


def address(call: Call, idp_id: str, protocol_id: str) -> str:
    way = f"{quote(idp_id, safe='')}/protocols/{quote(protocol_id, safe='')}"
    return call.url(f"/v3/auth/OS-FEDERATION/identity_providers/{way}/websso")


def origin(call: Call, asked: str | None) -> str:
    """Where the token goes to: a dashboard that the configuration trusts. Raises BadRequest, Unauthorized."""
    if not asked:
        raise BadRequest("The request must have an origin: the address of the dashboard that waits for the token.")
    if asked not in call.cloud.settings(IdentitySettings).trusted_dashboards:
        raise Unauthorized(f"{asked} is not a trusted dashboard: an operator adds it to `trusted_dashboards`.")
    return asked


def depart(call: Call, idp_id: str, protocol_id: str, wanted: str) -> Response:
    """To the provider. A trusted front has done that part already."""
    entry.check_open(call, idp_id, protocol_id)
    parties = call.cloud.part(Parties)
    settings = parties.settings(idp_id, protocol_id)
    trip = Trip(f"{idp_id}/{protocol_id}", wanted, code.new_secret(), code.new_secret())
    state = code.new_secret()
    if isinstance(settings, OidcProvider):
        here = address(call, idp_id, protocol_id)
        try:
            there = code.address(parties.oidc(idp_id, protocol_id, settings), here, state, trip.nonce, trip.verifier)
        except ProviderFailed as error:
            raise refused(str(error)) from None
        reply: Response = RedirectResponse(there, 302, {"cache-control": "no-store"})
    elif isinstance(settings, Saml2Provider):
        request_id = "_" + parties.seals.close("SAML request", trip.nonce.encode())
        there, posted = parties.saml2(idp_id, protocol_id, settings).browser(request_id, state)
        if posted:
            reply = pages.form(there, {"SAMLRequest": b64encode(posted.encode()).decode(), "RelayState": state})
        else:
            reply = RedirectResponse(there, 302, {"cache-control": "no-store"})
    else:
        return _arrive(call, idp_id, protocol_id, external.proof(call, settings), wanted)
    sealed = parties.seals.close("login", msgspec.json.encode(trip))
    _set_cookie(call, reply, idp_id, protocol_id, state, sealed, posted_back=isinstance(settings, Saml2Provider))
    return reply


def back_with_code(call: Call, idp_id: str, protocol_id: str) -> Response:
    """From an OpenID Connect provider. Raises Unauthorized."""
    parties = call.cloud.part(Parties)
    settings = parties.settings(idp_id, protocol_id)
    trip = _trip(call, idp_id, protocol_id, call.query_value("state") or "")
    given = call.query_value("code")
    if not isinstance(settings, OidcProvider) or given is None:
        raise refused(f"the provider sent the browser back with {call.query_value('error')!r}")
    if (issuer := call.query_value("iss")) is not None and issuer != settings.issuer:  # RFC 9207
        raise refused(f"an answer of {issuer} came back in place of one of {settings.issuer}")
    provider = parties.oidc(idp_id, protocol_id, settings)
    proof = code.proof(provider, address(call, idp_id, protocol_id), given, trip.nonce, trip.verifier)
    return _arrive(call, idp_id, protocol_id, proof, trip.origin)


def back_with_assertion(call: Call, idp_id: str, protocol_id: str, response: str, state: str) -> Response:
    """From a SAML2 provider, posted. Raises Unauthorized."""
    from pileus.identity.federation.login.saml2 import envelope

    parties = call.cloud.part(Parties)
    settings = parties.settings(idp_id, protocol_id)
    if not isinstance(settings, Saml2Provider):
        raise refused(f"{idp_id}/{protocol_id} does not speak SAML2")
    text = envelope.posted(response)
    request_id = envelope.request_id(text)
    if request_id is None:
        raise refused("a browser brought a SAML response that nobody asked for")
    trip = _trip(call, idp_id, protocol_id, state)
    if parties.seals.open("SAML request", request_id.removeprefix("_")).decode() != trip.nonce:
        raise refused("a SAML response answers the request of another browser")
    party = parties.saml2(idp_id, protocol_id, settings)
    return _arrive(call, idp_id, protocol_id, party.read(text, request_id, party.web), trip.origin)


def choose(call: Call, protocol_id: str, wanted: str) -> Response:
    """Which provider, when the address does not say: the only one, or a page of links. Raises Unauthorized."""
    known = call.cloud.part(Parties).with_protocol(protocol_id)
    if not known:
        raise refused(f"the configuration has no identity provider for protocol {protocol_id}")
    if len(known) == 1:
        return depart(call, known[0], protocol_id, wanted)
    query = urlencode({"origin": wanted})
    return pages.choice([(idp_id, f"{address(call, idp_id, protocol_id)}?{query}") for idp_id in known])


def _arrive(call: Call, idp_id: str, protocol_id: str, proof: Proof, wanted: str) -> Response:
    reply = entry.enter(call, idp_id, protocol_id, proof)
    return pages.form(wanted, {"token": reply.headers["x-subject-token"]})


def _trip(call: Call, idp_id: str, protocol_id: str, state: str) -> Trip:
    """Raises Unauthorized unless this browser is on its way through this provider."""
    cookie = call.request.cookies.get(COOKIE + state[:16])
    if not state or not cookie:
        raise refused("a browser came back from a provider without having left from here")
    trip = msgspec.json.decode(call.cloud.part(Parties).seals.open("login", cookie), type=Trip)
    if trip.way != f"{idp_id}/{protocol_id}":
        raise refused(f"a browser left through {trip.way} and came back through {idp_id}/{protocol_id}")
    origin(call, trip.origin)
    return trip


def _set_cookie(
    call: Call, reply: Response, idp_id: str, protocol_id: str, state: str, sealed: str, *, posted_back: bool
) -> None:
    """An answer that is posted from another site brings the cookie only if it may go across sites, which needs HTTPS."""
    here = urlsplit(address(call, idp_id, protocol_id))
    secure = here.scheme == "https"
    reply.set_cookie(
        COOKIE + state[:16],
        sealed,
        max_age=SECONDS,
        path=here.path,
        secure=secure,
        httponly=True,
        samesite=("none" if secure else None) if posted_back else "lax",
    )
