"""The network service, as `pileus.main` mounts it."""

from pileus.kernel.cloud import Cloud
from pileus.kernel.config import ConfigError
from pileus.kernel.errors import BadRequest
from pileus.kernel.manifest import Chore, Manifest
from pileus.network import policy, settings
from pileus.network.discovery import routes as discovery
from pileus.network.drivers.types import base as types
from pileus.network.errors import error_body
from pileus.network.floating_ips import policy as floating_ip_policy
from pileus.network.floating_ips import routes as floating_ips
from pileus.network.hosts import routes as hosts
from pileus.network.hosts import services
from pileus.network.networks import policy as network_policy
from pileus.network.networks import routes as networks
from pileus.network.ports import policy as port_policy
from pileus.network.ports import routes as ports
from pileus.network.quotas import routes as quotas
from pileus.network.routers import policy as router_policy
from pileus.network.routers import routes as routers
from pileus.network.security_groups import policy as group_policy
from pileus.network.security_groups import routes as groups
from pileus.network.seed import seed
from pileus.network.settings import NetworkSettings
from pileus.network.subnet_pools import policy as pool_policy
from pileus.network.subnet_pools import routes as pools
from pileus.network.subnets import policy as subnet_policy
from pileus.network.subnets import routes as subnets
from pileus.network.tags import routes as tags


def setup(cloud: Cloud) -> None:
    """A type driver or range that does not exist is told at the start, not to the first who makes a network."""
    own = cloud.settings(NetworkSettings)
    for name in {*own.type_drivers, *own.tenant_network_types}:
        try:
            types.load(name, own)
        except (BadRequest, ValueError) as error:
            raise ConfigError(f"section [network]: {error}") from None
    settings.register(cloud.db.url, own)


MANIFEST = Manifest(
    name="network",
    title="Network",
    routes=(
        *discovery.ROUTES,
        *networks.ROUTES,
        *subnets.ROUTES,
        *pools.ROUTES,
        *ports.ROUTES,
        *routers.ROUTES,
        *floating_ips.ROUTES,
        *groups.ROUTES,
        *tags.ROUTES,
        *quotas.ROUTES,
        *hosts.ROUTES,
    ),
    policies=(
        *policy.RULES,
        *network_policy.RULES,
        *subnet_policy.RULES,
        *pool_policy.RULES,
        *port_policy.RULES,
        *router_policy.RULES,
        *floating_ip_policy.RULES,
        *group_policy.RULES,
        *tags.RULES,
        *quotas.RULES,
        *hosts.RULES,
        *discovery.RULES,
    ),
    error_body=error_body,
    types={"network": ""},
    settings=NetworkSettings,
    setup=setup,
    seed=seed,
    chores=(Chore("network-services", 30, services.keep),),
)
