"""Identity, as `pileus.main` mounts it."""

from pileus.identity.application_credentials import access_rules
from pileus.identity.application_credentials import policy as application_credential_policy
from pileus.identity.application_credentials import routes as application_credentials
from pileus.identity.assignments import grants
from pileus.identity.assignments import policy as assignment_policy
from pileus.identity.assignments import routes as assignments
from pileus.identity.catalog import endpoint_groups, endpoints, project_endpoints, regions, services
from pileus.identity.catalog import policy as catalog_policy
from pileus.identity.credentials import policy as credential_policy
from pileus.identity.credentials import routes as credentials
from pileus.identity.credentials import sealing
from pileus.identity.credentials.sealing import Sealer
from pileus.identity.directories.refresh import SECONDS as DIRECTORY_SECONDS
from pileus.identity.directories.refresh import refresh as refresh_directories
from pileus.identity.directories.registry import Directories
from pileus.identity.discovery import routes as discovery
from pileus.identity.domain_config import compliance
from pileus.identity.domain_config import policy as domain_config_policy
from pileus.identity.domain_config import routes as domain_config
from pileus.identity.domain_config.sealing import OptionSealer
from pileus.identity.domains import policy as domain_policy
from pileus.identity.domains import routes as domains
from pileus.identity.ec2 import key_pairs
from pileus.identity.ec2 import policy as ec2_policy
from pileus.identity.ec2 import routes as ec2_tokens
from pileus.identity.envelope import error_body
from pileus.identity.federation import policy as federation_policy
from pileus.identity.federation import reach, upkeep
from pileus.identity.federation.assertions import routes as assertions
from pileus.identity.federation.identity_providers import routes as identity_providers
from pileus.identity.federation.login import routes as federated_login
from pileus.identity.federation.mappings import routes as mappings
from pileus.identity.federation.protocols import routes as protocols
from pileus.identity.federation.service_providers import routes as service_providers
from pileus.identity.groups import members
from pileus.identity.groups import policy as group_policy
from pileus.identity.groups import routes as groups
from pileus.identity.limits import enforcement
from pileus.identity.limits import policy as limit_policy
from pileus.identity.limits import routes as limits
from pileus.identity.limits.unified import UnifiedLimits
from pileus.identity.oauth1 import access_tokens as oauth1_access_tokens
from pileus.identity.oauth1 import consumers as oauth1_consumers
from pileus.identity.oauth1 import dance as oauth1_dance
from pileus.identity.oauth1 import derivation
from pileus.identity.oauth1 import policy as oauth1_policy
from pileus.identity.oauth1 import sweeping as oauth1_sweeping
from pileus.identity.oauth2 import routes as oauth2
from pileus.identity.passwords import routes as passwords
from pileus.identity.passwords import rules
from pileus.identity.passwords.hashing import Hasher
from pileus.identity.policies import associations as policy_associations
from pileus.identity.policies import policy as policies_policy
from pileus.identity.policies import routes as policies
from pileus.identity.projects import policy as project_policy
from pileus.identity.projects import routes as projects
from pileus.identity.projects import tags
from pileus.identity.registered_limits import policy as registered_limit_policy
from pileus.identity.registered_limits import routes as registered_limits
from pileus.identity.roles import implications
from pileus.identity.roles import policy as role_policy
from pileus.identity.roles import routes as roles
from pileus.identity.seeds import seed
from pileus.identity.settings import IdentitySettings
from pileus.identity.tokens import policy as token_policy
from pileus.identity.tokens import revocation
from pileus.identity.tokens import routes as tokens
from pileus.identity.tokens.authenticator import TokenAuthenticator
from pileus.identity.tokens.providers import PROVIDERS
from pileus.identity.tokens.receipts import ReceiptProvider
from pileus.identity.trusts import actions as trust_actions
from pileus.identity.trusts import policy as trust_policy
from pileus.identity.trusts import routes as trusts
from pileus.identity.users import activity
from pileus.identity.users import policy as user_policy
from pileus.identity.users import routes as users
from pileus.kernel import cache, quotas
from pileus.kernel.cache import Cache
from pileus.kernel.cloud import Cloud
from pileus.kernel.context import Authenticator
from pileus.kernel.manifest import Chore, Manifest

ROUTED = (
    discovery,
    tokens,
    oauth2,
    projects,
    tags,
    domains,
    domain_config,
    compliance,
    users,
    passwords,
    groups,
    members,
    roles,
    implications,
    grants,
    assignments,
    services,
    endpoints,
    regions,
    endpoint_groups,
    project_endpoints,
    registered_limits,
    limits,
    policies,
    policy_associations,
    application_credentials,
    access_rules,
    trusts,
    oauth1_consumers,
    oauth1_dance,
    oauth1_access_tokens,
    credentials,
    key_pairs,
    ec2_tokens,
    identity_providers,
    protocols,
    mappings,
    service_providers,
    reach,
    federated_login,
    assertions,
)
GUARDED = (
    token_policy,
    project_policy,
    domain_policy,
    domain_config_policy,
    user_policy,
    group_policy,
    role_policy,
    assignment_policy,
    catalog_policy,
    registered_limit_policy,
    limit_policy,
    policies_policy,
    application_credential_policy,
    trust_policy,
    oauth1_policy,
    credential_policy,
    ec2_policy,
    federation_policy,
)


def setup(cloud: Cloud) -> None:
    settings = cloud.settings(IdentitySettings)
    kind = PROVIDERS[settings.token_provider]
    provider = kind.make(cloud.config.state / kind.folder)
    near = cache.of(cloud.config)
    cloud.add(near, Cache)
    authenticator = TokenAuthenticator(provider, settings.token_lifetime, near)
    cloud.add(authenticator)
    cloud.add(authenticator, Authenticator)
    rules.check_settings(settings)
    cloud.add(Hasher(settings))
    cloud.add(ReceiptProvider(cloud.config.state / PROVIDERS["fernet"].folder))
    cloud.add(derivation.Deriver(cloud.config.state / derivation.FILE))
    cloud.add(Sealer(cloud.config.state / sealing.FOLDER))
    if cloud.config.cloud.quotas == "unified":
        quotas.use(cloud.db, UnifiedLimits(cloud.config.cloud.region, enforcement.of(cloud)))
    sealer = OptionSealer(cloud)
    cloud.add(sealer)
    cloud.add(Directories(sealer))
    upkeep.setup(cloud)


def rotate_keys(cloud: Cloud) -> None:
    settings = cloud.settings(IdentitySettings)
    kind = PROVIDERS[settings.token_provider]
    if settings.token_key_days:
        kind.rotate(cloud.config.state / kind.folder, settings.token_keys, due=settings.token_key_days * 86400)


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
    seed_version=2,
    written=lambda cloud: cloud.part(TokenAuthenticator).forget(),
    chores=(
        Chore("token-keys", 3600, rotate_keys),
        Chore("token-flush", 3600, revocation.sweep),
        Chore("directories", DIRECTORY_SECONDS, refresh_directories),
        Chore("trusts", 3600, trust_actions.sweep),
        Chore("federation", 3600, upkeep.sweep),
        Chore("inactive-users", 3600, activity.disable),
        Chore("oauth1", 3600, oauth1_sweeping.sweep),
    ),
    lax_types=False,
    head_as_get=True,
)
