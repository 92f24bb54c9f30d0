"""Logging in through an identity provider: for command line clients (`…/auth`) and browsers (`…/websso`).

These handlers ask providers and check signatures, so they run in threads and open short transactions of their own.
"""

from urllib.parse import parse_qs

from starlette.responses import Response

from pileus.identity.federation.login import browser, entry, external, replies
from pileus.identity.federation.login.oidc import bearer
from pileus.identity.federation.login.parties import Parties
from pileus.identity.federation.login.saml2.envelope import ECP, MEDIA, PAOS
from pileus.identity.federation.settings import OidcProvider, Saml2Provider
from pileus.identity.refusals.notes import noted
from pileus.kernel.errors import BadRequest, NotFound, TooLarge, Unauthorized
from pileus.kernel.http.call import Call, Reply
from pileus.kernel.http.routes import PUBLIC, Route

LONGEST = 262144  # bytes of a posted answer


async def auth(call: Call, idp_id: str, protocol_id: str) -> Reply | Response:
    body = await _body(call)
    return await call.cloud.part(Parties).run(_auth, call, idp_id, protocol_id, body)


def _auth(call: Call, idp_id: str, protocol_id: str, body: bytes) -> Reply | Response:
    with noted(call):
        return _token(call, idp_id, protocol_id, body)


def _token(call: Call, idp_id: str, protocol_id: str, body: bytes) -> Reply | Response:
    entry.check_open(call, idp_id, protocol_id)
    parties = call.cloud.part(Parties)
    settings = parties.settings(idp_id, protocol_id)
    if isinstance(settings, OidcProvider):
        provider = parties.oidc(idp_id, protocol_id, settings)
        proof = bearer.proof(provider, call.request.headers.get("authorization"))
    elif isinstance(settings, Saml2Provider):
        return _ecp(call, idp_id, protocol_id, settings, body)
    else:
        proof = external.proof(call, settings)
    return entry.enter(call, idp_id, protocol_id, proof)


def _ecp(call: Call, idp_id: str, protocol_id: str, settings: Saml2Provider, body: bytes) -> Reply | Response:
    """The enhanced client profile: a question to carry to the provider, then the answer that the client brings."""
    from pileus.identity.federation.login.saml2 import envelope

    headers = call.request.headers
    parties = call.cloud.part(Parties)
    kind, way = headers.get("content-type", "").partition(";")[0].strip(), f"{idp_id}/{protocol_id}".encode()
    if call.request.method == "POST" and body and kind in (MEDIA, "text/xml"):
        response = envelope.unwrapped(body)
        request_id = envelope.request_id(response)
        if request_id is not None and parties.seals.open("ECP request", request_id.removeprefix("_")) != way:
            raise Unauthorized("The answer is to another identity provider's question.")
        party = parties.saml2(idp_id, protocol_id, settings)
        return entry.enter(call, idp_id, protocol_id, party.read(response, request_id, party.ecp))
    if MEDIA not in headers.get("accept", "") or PAOS not in headers.get("paos", "") or ECP not in headers["paos"]:
        raise Unauthorized(
            f"Log in with a client of the SAML2 ECP profile (headers Accept: {MEDIA} and PAOS), or with a browser at …/websso."
        )
    question = parties.saml2(idp_id, protocol_id, settings).paos("_" + parties.seals.close("ECP request", way))
    return Response(question, media_type=MEDIA, headers={"cache-control": "no-store"})


async def websso(call: Call, idp_id: str, protocol_id: str) -> Response:
    form = _form(await _body(call))
    return await call.cloud.part(Parties).run(_websso, call, idp_id, protocol_id, form)


def _websso(call: Call, idp_id: str, protocol_id: str, form: dict[str, str]) -> Response:
    with noted(call):
        if call.query_value("state") is not None:
            return browser.back_with_code(call, idp_id, protocol_id)
        if "SAMLResponse" in form:
            state = form.get("RelayState", "")
            return browser.back_with_assertion(call, idp_id, protocol_id, form["SAMLResponse"], state)
        wanted = browser.origin(call, call.query_value("origin") or form.get("origin"))
        return browser.depart(call, idp_id, protocol_id, wanted)


async def websso_by_protocol(call: Call, protocol_id: str) -> Response:
    wanted = browser.origin(call, call.query_value("origin") or _form(await _body(call)).get("origin"))
    return await call.cloud.part(Parties).run(_choose, call, protocol_id, wanted)


def _choose(call: Call, protocol_id: str, wanted: str) -> Response:
    with noted(call):
        return browser.choose(call, protocol_id, wanted)


async def metadata(call: Call, idp_id: str, protocol_id: str) -> Response:
    """Of this cloud as a SAML2 service provider: what the identity provider's operator is given."""
    return await call.cloud.part(Parties).run(_metadata, call, idp_id, protocol_id)


def _metadata(call: Call, idp_id: str, protocol_id: str) -> Response:
    entry.check_open(call, idp_id, protocol_id)
    parties = call.cloud.part(Parties)
    settings = parties.settings(idp_id, protocol_id)
    if not isinstance(settings, Saml2Provider):
        raise NotFound(f"{idp_id}/{protocol_id} does not speak SAML2: it has no metadata.")
    return Response(parties.saml2(idp_id, protocol_id, settings).metadata(), media_type="application/samlmetadata+xml")


async def _body(call: Call) -> bytes:
    if call.request.method != "POST":
        return b""
    data = b""
    async for chunk in call.request.stream():
        data += chunk
        if len(data) > LONGEST:
            raise TooLarge(f"The body is longer than {LONGEST} bytes.")
    return data


def _form(body: bytes) -> dict[str, str]:
    """Of a name that comes twice the first counts. Raises BadRequest."""
    try:
        fields = parse_qs(body.decode("ascii"), max_num_fields=20)
    except (UnicodeDecodeError, ValueError):
        raise BadRequest("The body must be a form.") from None
    return {name: values[0] for name, values in fields.items()}


AUTH = "/v3/OS-FEDERATION/identity_providers/{idp_id}/protocols/{protocol_id}/auth"
METADATA = "/v3/OS-FEDERATION/identity_providers/{idp_id}/protocols/{protocol_id}/metadata"
ONE = "/v3/auth/OS-FEDERATION/identity_providers/{idp_id}/protocols/{protocol_id}/websso"
OLD = "/v3/auth/OS-FEDERATION/identity_providers/{idp_id}/protocol/{protocol_id}/websso"  # as some documents have it
ANY = "/v3/auth/OS-FEDERATION/websso/{protocol_id}"
BACK = ("origin", "state", "code", "iss", "error")
ROUTES = (
    Route("GET", AUTH, auth, PUBLIC, stream=True, reply=replies.QUESTION, described=replies.TOKEN),
    Route("POST", AUTH, auth, PUBLIC, stream=True, reply=replies.QUESTION, described=replies.TOKEN),
    Route("GET", METADATA, metadata, PUBLIC, stream=True, reply=replies.METADATA),
    Route("GET", ONE, websso, PUBLIC, stream=True, reply=replies.PAGE, described=replies.WALK, query=BACK),
    Route("POST", ONE, websso, PUBLIC, stream=True, reply=replies.PAGE, described=replies.WALK),
    Route("GET", OLD, websso, PUBLIC, stream=True, reply=replies.PAGE, described=replies.WALK, query=BACK),
    Route(
        "GET",
        ANY,
        websso_by_protocol,
        PUBLIC,
        stream=True,
        reply=replies.PAGE,
        described=replies.WALK,
        query=("origin",),
    ),
    Route("POST", ANY, websso_by_protocol, PUBLIC, stream=True, reply=replies.PAGE, described=replies.WALK),
)
