"""Every route has a rule that is registered, and the application refuses to start otherwise."""

from pathlib import Path

from tests.whole import whole_cloud

from pileus.composition import MANIFESTS, OWN_PORT, SERVICES
from pileus.kernel.http.app import App
from pileus.kernel.http.routes import PUBLIC

# What anyone may ask without a token: version documents, logging in, and what a signature guards.
PUBLIC_PATHS = {
    ("identity", "/"),
    ("identity", "/v3"),
    ("identity", "/v3/auth/tokens"),
    ("identity", "/v3/users/{user_id}/password"),  # who knows the old password may change it, even when it has expired
    # A consumer's signature, a client's secret or certificate.
    ("identity", "/v3/OS-OAUTH1/request_token"),
    ("identity", "/v3/OS-OAUTH1/access_token"),
    ("identity", "/v3/OS-OAUTH2/token"),
    # A provider's assertion, the way there, and what the other side must know of this one.
    ("identity", "/v3/OS-FEDERATION/identity_providers/{idp_id}/protocols/{protocol_id}/auth"),
    ("identity", "/v3/OS-FEDERATION/identity_providers/{idp_id}/protocols/{protocol_id}/metadata"),
    ("identity", "/v3/auth/OS-FEDERATION/identity_providers/{idp_id}/protocols/{protocol_id}/websso"),
    ("identity", "/v3/auth/OS-FEDERATION/identity_providers/{idp_id}/protocol/{protocol_id}/websso"),
    ("identity", "/v3/auth/OS-FEDERATION/websso/{protocol_id}"),
    ("identity", "/v3/OS-FEDERATION/saml2/metadata"),
    # The token is in the body, as at a login.
    ("identity", "/v3/auth/OS-FEDERATION/saml2"),
    ("identity", "/v3/auth/OS-FEDERATION/saml2/ecp"),
    ("placement", "/"),
    ("image", "/"),
    ("image", "/versions"),
    ("image", "/v2"),
    ("network", "/"),
    ("network", "/v2.0"),
    ("compute", "/"),
    ("compute", "/v2.1"),
}


def test_the_application_starts_with_all_routes_guarded(tmp_path: Path) -> None:
    with whole_cloud(tmp_path) as cloud:
        App(cloud, SERVICES)
        App(cloud, OWN_PORT, prefixed=False)


def test_public_routes_are_the_known_few() -> None:
    public = {
        (manifest.name, route.path.rstrip("/") or "/")
        for manifest in SERVICES
        for route in manifest.routes
        if PUBLIC in route.rules
    }
    assert public - PUBLIC_PATHS == set()


def test_no_rule_is_registered_that_guards_nothing_by_mistake() -> None:
    """A rule's name belongs to one service."""
    owners: dict[str, set[str]] = {}
    for manifest in MANIFESTS:
        for rule in manifest.policies:
            owners.setdefault(rule.name, set()).add(manifest.name)
    assert {name: who for name, who in owners.items() if len(who) > 1} == {}
