"""Identity, as `pileus.main` mounts it."""

from pileus.identity.application_credentials import policy as application_credential_policy
from pileus.identity.application_credentials import routes as application_credentials
from pileus.identity.assignments import grants
from pileus.identity.assignments import policy as assignment_policy
from pileus.identity.assignments import routes as assignments
from pileus.identity.catalog import policy as catalog_policy
from pileus.identity.catalog import regions
from pileus.identity.catalog import routes as catalog
from pileus.identity.discovery import routes as discovery
from pileus.identity.domains import policy as domain_policy
from pileus.identity.domains import routes as domains
from pileus.identity.envelope import error_body
from pileus.identity.groups import members
from pileus.identity.groups import policy as group_policy
from pileus.identity.groups import routes as groups
from pileus.identity.passwords import routes as passwords
from pileus.identity.passwords.hashing import Hasher
from pileus.identity.projects import policy as project_policy
from pileus.identity.projects import routes as projects
from pileus.identity.projects import tags
from pileus.identity.roles import implications
from pileus.identity.roles import policy as role_policy
from pileus.identity.roles import routes as roles
from pileus.identity.seeds import seed
from pileus.identity.settings import IdentitySettings
from pileus.identity.tokens import keys
from pileus.identity.tokens import policy as token_policy
from pileus.identity.tokens import routes as tokens
from pileus.identity.tokens.authenticator import TokenAuthenticator
from pileus.identity.tokens.keys import KeyRing
from pileus.identity.tokens.providers.fernet import FernetProvider
from pileus.identity.users import policy as user_policy
from pileus.identity.users import routes as users
from pileus.kernel.cloud import Cloud
from pileus.kernel.context import Authenticator
from pileus.kernel.manifest import Chore, Manifest

ROUTED = (
    discovery,
    tokens,
    projects,
    tags,
    domains,
    users,
    passwords,
    groups,
    members,
    roles,
    implications,
    grants,
    assignments,
    catalog,
    regions,
    application_credentials,
)
GUARDED = (
    token_policy,
    project_policy,
    domain_policy,
    user_policy,
    group_policy,
    role_policy,
    assignment_policy,
    catalog_policy,
    application_credential_policy,
)


def setup(cloud: Cloud) -> None:
    settings = cloud.settings(IdentitySettings)
    provider = FernetProvider(KeyRing(cloud.config.state / "keys"))
    authenticator = TokenAuthenticator(provider, settings.token_lifetime)
    cloud.add(authenticator)
    cloud.add(authenticator, Authenticator)
    cloud.add(Hasher(settings))


def rotate_keys(cloud: Cloud) -> None:
    settings = cloud.settings(IdentitySettings)
    keys.rotate_when_due(cloud.config.state / "keys", settings.token_key_days * 86400, settings.token_keys)


MANIFEST = Manifest(
    name="identity",
    title="Identity",
    routes=[route for module in ROUTED for route in module.ROUTES],
    policies=[rule for module in GUARDED for rule in module.RULES],
    error_body=error_body,
    types={"identity": ""},
    settings=IdentitySettings,
    setup=setup,
    seed=seed,
    chores=(Chore("token-keys", 3600, rotate_keys),),
    lax_types=False,
    head_as_get=True,
)
