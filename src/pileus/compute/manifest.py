"""Compute, as `pileus.main` mounts it."""

from pileus.compute.errors import error_body
from pileus.compute.flavors.seeds import seed_flavors
from pileus.compute.servers.models import Server
from pileus.compute.servers.policy import RULES as SERVER_RULES
from pileus.compute.servers.reconcile import Servers
from pileus.compute.servers.routes import ROUTES as SERVERS
from pileus.compute.settings import ComputeSettings
from pileus.compute.versions.routes import ROUTES as VERSIONS
from pileus.kernel.cloud import Cloud
from pileus.kernel.manifest import Manifest
from pileus.kernel.reconcile import Reconciler
from pileus.kernel.microversion import Microversions, Version


def seed(cloud: Cloud) -> None:
    with cloud.db.writing() as db:
        seed_flavors(db)


MANIFEST = Manifest(
    name="compute",
    title="Compute",
    routes=(*VERSIONS, *SERVERS),
    policies=(*SERVER_RULES,),
    error_body=error_body,
    types={"compute": "/v2.1"},
    microversions=Microversions("compute", Version(2, 1), Version(2, 96), "X-OpenStack-Nova-API-Version"),
    settings=ComputeSettings,
    seed=seed,
    reconcilers=lambda cloud: [Reconciler("servers", Server, Servers(cloud).step, cloud.db)],
    request_id_header="x-compute-request-id",
)
