"""Image, as `pileus.main` mounts it."""

from collections.abc import Sequence

from pileus.image.cache import copies
from pileus.image.cache.copies import Copies
from pileus.image.cache.policy import RULES as CACHE_RULES
from pileus.image.cache.routes import ROUTES as CACHE
from pileus.image.data.routes import ROUTES as DATA
from pileus.image.data.sweep import sweep, sweep_away
from pileus.image.discovery.info import ROUTES as INFO
from pileus.image.discovery.metadef_schemas import ROUTES as METADEF_SCHEMAS
from pileus.image.discovery.schemas import ROUTES as SCHEMAS
from pileus.image.discovery.versions import ROUTES as VERSIONS
from pileus.image.envelope import error_body, error_page
from pileus.image.images.policy import RULES as IMAGE_RULES
from pileus.image.images.routes import ROUTES as IMAGES
from pileus.image.imports import run
from pileus.image.imports.routes import ROUTES as IMPORTS
from pileus.image.locations.routes import ROUTES as LOCATIONS
from pileus.image.members.policy import RULES as MEMBER_RULES
from pileus.image.members.routes import ROUTES as MEMBERS
from pileus.image.metadefs.policy import RULES as METADEF_RULES
from pileus.image.metadefs.routes import ROUTES as METADEFS
from pileus.image.metadefs.seed import sow
from pileus.image.protections import callers as protections
from pileus.image.settings import ImageSettings
from pileus.image.signatures import signers
from pileus.image.stores import registry
from pileus.image.stores.routes import ROUTES as STORES
from pileus.image.tags.routes import ROUTES as TAGS
from pileus.image.tasks.actions import forget
from pileus.image.tasks.policy import RULES as TASK_RULES
from pileus.image.tasks.routes import ROUTES as TASKS
from pileus.image.usage.routes import ROUTES as USAGE
from pileus.image.web import Web
from pileus.kernel.cloud import Cloud
from pileus.kernel.manifest import Chore, Manifest
from pileus.kernel.reconcile import Reconciler


def setup(cloud: Cloud) -> None:
    """The web is reached lazily; stores that are elsewhere are not asked now."""
    cloud.add(registry.load(cloud.config))
    cloud.add(signers.load(cloud.config))
    cloud.add(Copies(cloud))
    cloud.add(protections.load(cloud))
    cloud.add(Web(cloud.settings(ImageSettings).web))


def reconcilers(cloud: Cloud) -> Sequence[Reconciler]:
    return (run.reconciler(cloud, cloud.settings(ImageSettings).import_parallel),)


MANIFEST = Manifest(
    name="image",
    title="Image",
    routes=(
        *(*VERSIONS, *IMAGES, *DATA, *IMPORTS, *LOCATIONS, *STORES, *TASKS, *TAGS, *MEMBERS, *INFO, *USAGE, *SCHEMAS),
        *(*CACHE, *METADEFS, *METADEF_SCHEMAS),
    ),
    policies=(*IMAGE_RULES, *MEMBER_RULES, *TASK_RULES, *CACHE_RULES, *METADEF_RULES),
    error_body=error_body,
    error_page=error_page,
    types={"image": ""},
    settings=ImageSettings,
    setup=setup,
    seed=sow,
    reconcilers=reconcilers,
    chores=(
        Chore("image-uploads", 10, sweep),
        Chore("image-stores", 600, sweep_away),
        Chore("image-tasks", 300, forget),
        Chore("image-copies", 3, copies.make),
        Chore("image-copies-clean", 300, copies.clean),
    ),
    lax_types=False,
)
