"""Who the client is: an application credential by its secret, or a user by a certificate."""

import logging

from pileus.identity.federation.mappings import engine, rules
from pileus.identity.federation.mappings.engine import MappedUser
from pileus.identity.federation.mappings.models import Mapping
from pileus.identity.oauth2 import certificates
from pileus.identity.oauth2.errors import Refusal, unknown_client
from pileus.identity.projects.models import Project
from pileus.identity.settings import IdentitySettings
from pileus.identity.tokens.login import Login
from pileus.identity.tokens.methods import application_credential
from pileus.identity.tokens.schemas import CredentialMethod, Identity
from pileus.identity.users.models import User
from pileus.kernel.errors import ApiError
from pileus.kernel.http import certificate
from pileus.kernel.http.call import Call

log = logging.getLogger("pileus.identity.logins")


def by_secret(call: Call, client_id: str, secret: str) -> Login:
    """`client_secret_basic`. Raises Refusal; an unknown client takes the time of a wrong secret."""
    asked = CredentialMethod(id=client_id, secret=secret)
    try:
        return application_credential.prove(call, Identity(methods=[], application_credential=asked))
    except ApiError:
        raise unknown_client() from None


def by_certificate(call: Call, client_id: str, der: bytes) -> Login:
    """`tls_client_auth`: `client_id` is a user, and the certificate comes out as that user of the mapping. Raises Refusal."""
    mapping_id = call.cloud.settings(IdentitySettings).oauth2_mapping
    mapping = call.db.get(Mapping, mapping_id)
    user = call.db.get(User, client_id)
    if mapping is None:
        raise _refused(client_id, f"there is no mapping {mapping_id}")
    try:
        ruled = rules.read(mapping.rules, mapping.schema_version)
        mapped = engine.evaluate(ruled, certificates.attributes(der), mapping.schema_version).user
    except (engine.Unmapped, ApiError, ValueError) as error:
        raise _refused(client_id, str(error)) from None
    if user is None or not _is(mapped, user, call.db.get_one(Project, user.domain_id)):
        raise _refused(client_id, f"the certificate is that of {mapped}")
    return Login(user_id=user.id, methods=("oauth2_credential",), thumbprint=certificate.thumbprint(der))


def check_other_ways(form: dict[str, str]) -> None:
    if "client_secret" in form:
        raise Refusal("invalid_request", "Send the client's secret by HTTP Basic, not in the form.")


def _is(mapped: MappedUser, user: User, home: Project) -> bool:
    """All that the mapping says must be so. A name alone is nobody: it needs the id or the domain beside it.

    (The engine gives a missing id the name and the other way round; so nobody becomes another by having that one's id as a name.)
    """
    domain = mapped.domain
    here = domain is not None and domain.id in (None, home.id) and domain.name in (None, home.name)
    if domain is not None and not here:
        return False
    if mapped.email is not None and mapped.email != user.extra.get("email"):
        return False
    return mapped.name == user.name and (mapped.id == user.id or (mapped.id == mapped.name and here))


def _refused(client_id: str, why: str) -> Refusal:
    """`why` is for the operator's log."""
    log.info("OAuth 2.0 client %s refused: %s", client_id, why)
    return unknown_client()
