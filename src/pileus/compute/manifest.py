"""Compute, as `pileus.main` mounts it."""

from pileus.compute.aggregates import routes as aggregates
from pileus.compute.availability_zones import routes as availability_zones
from pileus.compute.boot_forecasts import routes as boot_forecasts
from pileus.compute.errors import error_body
from pileus.compute.extensions import routes as extensions
from pileus.compute.external_events import routes as external_events
from pileus.compute.flavors import policy as flavors_policy
from pileus.compute.flavors import routes as flavors
from pileus.compute.flavors.seeds import seed_flavors
from pileus.compute.hypervisors import routes as hypervisors
from pileus.compute.instance_actions import routes as instance_actions
from pileus.compute.keypairs import routes as keypairs
from pileus.compute.legacy_hosts import routes as legacy_hosts
from pileus.compute.limits import routes as limits
from pileus.compute.migrations import routes as migrations
from pileus.compute.quota_sets import routes as quota_sets
from pileus.compute.removed import routes as removed
from pileus.compute.scheduler import filters, weighers
from pileus.compute.server_groups import routes as server_groups
from pileus.compute.server_interfaces import routes as server_interfaces
from pileus.compute.server_metadata import routes as server_metadata
from pileus.compute.server_password import routes as server_password
from pileus.compute.server_tags import routes as server_tags
from pileus.compute.server_topology import routes as server_topology
from pileus.compute.server_volumes import routes as server_volumes
from pileus.compute.servers import policy as servers_policy
from pileus.compute.servers import routes as servers
from pileus.compute.servers.models import Server
from pileus.compute.servers.reconcile import Servers
from pileus.compute.services import control
from pileus.compute.services import routes as services
from pileus.compute.settings import ComputeSettings
from pileus.compute.usage import routes as usage
from pileus.compute.versions import routes as versions
from pileus.kernel.cloud import Cloud
from pileus.kernel.config import ConfigError
from pileus.kernel.manifest import Chore, Manifest
from pileus.kernel.microversion import Microversions, Version
from pileus.kernel.reconcile import Reconciler

ROUTES = (
    *versions.ROUTES,
    *extensions.ROUTES,
    *flavors.ROUTES,
    *keypairs.ROUTES,
    *servers.ROUTES,
    *boot_forecasts.ROUTES,
    *server_metadata.ROUTES,
    *server_tags.ROUTES,
    *server_interfaces.ROUTES,
    *server_volumes.ROUTES,
    *server_password.ROUTES,
    *server_topology.ROUTES,
    *instance_actions.ROUTES,
    *external_events.ROUTES,
    *server_groups.ROUTES,
    *limits.ROUTES,
    *quota_sets.ROUTES,
    *usage.ROUTES,
    *availability_zones.ROUTES,
    *aggregates.ROUTES,
    *hypervisors.ROUTES,
    *legacy_hosts.ROUTES,
    *services.ROUTES,
    *migrations.ROUTES,
    *removed.ROUTES,
)
RULES = (
    *extensions.RULES,
    *flavors_policy.RULES,
    *keypairs.RULES,
    *servers_policy.RULES,
    *boot_forecasts.RULES,
    *server_volumes.RULES,
    *server_password.RULES,
    *server_topology.RULES,
    *instance_actions.RULES,
    *external_events.RULES,
    *server_groups.RULES,
    *limits.RULES,
    *quota_sets.RULES,
    *usage.RULES,
    *availability_zones.RULES,
    *aggregates.RULES,
    *hypervisors.RULES,
    *legacy_hosts.RULES,
    *services.RULES,
    *migrations.RULES,
)


def setup(cloud: Cloud) -> None:
    """A check or weigher that does not exist is told at the start, not to the first who boots a server."""
    settings = cloud.settings(ComputeSettings)
    known = {"scheduler_filters": set(filters.NAMES), "scheduler_weights": set(weighers.NAMES)}
    for name, names in known.items():
        if strange := set(getattr(settings, name)) - names:
            listed = ", ".join(sorted(names))
            raise ConfigError(f"section [compute]: {name} has no {', '.join(sorted(strange))}; there are {listed}")


def seed(cloud: Cloud) -> None:
    with cloud.db.writing() as db:
        seed_flavors(db)


MANIFEST = Manifest(
    name="compute",
    title="Compute",
    routes=ROUTES,
    policies=RULES,
    error_body=error_body,
    types={"compute": "/v2.1"},
    microversions=Microversions("compute", Version(2, 1), Version(2, 96), "X-OpenStack-Nova-API-Version"),
    settings=ComputeSettings,
    setup=setup,
    seed=seed,
    reconcilers=lambda cloud: [Reconciler("servers", Server, Servers(cloud).step, cloud.db)],
    chores=(Chore("control-services", control.SECONDS, control.heartbeat),),
    lax_types=True,
    request_id_header="x-compute-request-id",
)
