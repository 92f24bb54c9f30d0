"""This cloud as an identity provider for others: assertions about the owner of a token (keystone to keystone federation)."""

from datetime import UTC, datetime, timedelta
from xml.sax.saxutils import escape

from starlette.responses import Response

from pileus.identity.federation.service_providers.models import ServiceProvider
from pileus.identity.settings import IdentitySettings
from pileus.identity.tokens.authenticator import TokenAuthenticator
from pileus.identity.tokens.memory import Verified
from pileus.identity.tokens.payload import BadToken
from pileus.identity.tokens.schemas import Identity
from pileus.kernel import clock
from pileus.kernel.db import new_hex_id
from pileus.kernel.errors import BadRequest, Forbidden, NotFound
from pileus.kernel.http.call import Call
from pileus.kernel.http.routes import PUBLIC, Route
from pileus.kernel.http.schema import Shape


class ServiceProviderRef(Shape):
    id: str


class TargetShape(Shape):
    service_provider: ServiceProviderRef


class WantedAuth(Shape):
    identity: Identity
    scope: TargetShape


class WantedBody(Shape):
    auth: WantedAuth


def create(call: Call, body: WantedBody) -> Response:
    document, provider = _document(call, body.auth)
    return _answer(document, provider)


def create_ecp(call: Call, body: WantedBody) -> Response:
    from pileus.identity.federation.assertions.document import enveloped

    document, provider = _document(call, body.auth)
    return _answer(enveloped(document, escape(provider.relay_state_prefix) + new_hex_id()), provider)


def metadata(call: Call) -> Response:
    from pileus.identity.federation.assertions import document

    return Response(document.metadata(call.cloud), media_type="text/xml")


def _document(call: Call, auth: WantedAuth) -> tuple[str, ServiceProvider]:
    from pileus.identity.federation.assertions import document

    provider = call.db.get(ServiceProvider, auth.scope.service_provider.id)
    if provider is None:
        raise NotFound(f"Service provider {auth.scope.service_provider.id} could not be found.")
    if not provider.enabled:
        raise Forbidden(f"Service provider {provider.id} is disabled.")
    verified = _owner(call, auth.identity)
    payload, standing, settings = verified.payload, verified.standing, call.cloud.settings(IdentitySettings)
    assert standing.scope is not None
    now = clock.now().replace(microsecond=0)
    token_ends = datetime.fromtimestamp(payload.expires // 1000, UTC).replace(tzinfo=None)
    statement = document.Statement(
        subject=standing.user_name,
        recipient=provider.sp_url,
        audiences=list(dict.fromkeys((provider.auth_url, provider.sp_url))) if settings.assertion_audience else [],
        attributes={
            "openstack_user": [standing.user_name],
            "openstack_user_domain": [standing.user_domain.name],
            "openstack_roles": [role.name for role in verified.roles],
            "openstack_project": [standing.scope.name],
            "openstack_project_domain": [standing.scope.domain.name],
        },
        now=now,
        until=min(now + timedelta(seconds=settings.assertion_seconds), token_ends),
    )
    return document.response(call.cloud, statement), provider


def _owner(call: Call, identity: Identity) -> Verified:
    """Raises BadRequest, NotFound, Forbidden: what a delegation was narrowed to could not be said to the other cloud."""
    if identity.methods != ["token"] or identity.token is None:
        raise BadRequest("An assertion is made from a token: auth.identity.methods must be [token].")
    try:
        verified = call.cloud.part(TokenAuthenticator).verify(call.db, identity.token.id)
    except BadToken:
        raise NotFound("The token in auth.identity.token could not be found.") from None
    payload = verified.payload
    if payload.delegation is not None or payload.thumbprint is not None:
        raise Forbidden(
            "An assertion can not be made from a delegated token, nor from one that is bound to a certificate."
        )
    if payload.scope != "project":
        raise Forbidden("An assertion is made from a token of a project.")
    return verified


def _answer(document: str, provider: ServiceProvider) -> Response:
    xml = '<?xml version="1.0" encoding="UTF-8"?>\n' + document
    headers = {"x-sp-url": provider.sp_url, "x-auth-url": provider.auth_url, "cache-control": "no-store"}
    return Response(xml, media_type="text/xml", headers=headers)


ROUTES = (
    Route("POST", "/v3/auth/OS-FEDERATION/saml2", create, PUBLIC, write=False, offload=True, reply="text/xml"),
    Route("POST", "/v3/auth/OS-FEDERATION/saml2/ecp", create_ecp, PUBLIC, write=False, offload=True, reply="text/xml"),
    Route("GET", "/v3/OS-FEDERATION/saml2/metadata", metadata, PUBLIC, offload=True, reply="text/xml"),
)
