"""Image, as `pileus.main` mounts it."""

from pileus.image import drivers
from pileus.image.data.routes import ROUTES as DATA
from pileus.image.data.sweep import sweep
from pileus.image.discovery.info import ROUTES as INFO
from pileus.image.discovery.metadef_schemas import ROUTES as METADEF_SCHEMAS
from pileus.image.discovery.schemas import ROUTES as SCHEMAS
from pileus.image.discovery.versions import ROUTES as VERSIONS
from pileus.image.drivers.base import Stores
from pileus.image.envelope import error_body
from pileus.image.images.policy import RULES as IMAGE_RULES
from pileus.image.images.routes import ROUTES as IMAGES
from pileus.image.members.policy import RULES as MEMBER_RULES
from pileus.image.members.routes import ROUTES as MEMBERS
from pileus.image.metadefs.policy import RULES as METADEF_RULES
from pileus.image.metadefs.routes import ROUTES as METADEFS
from pileus.image.metadefs.seed import sow
from pileus.image.settings import ImageSettings
from pileus.image.tags.routes import ROUTES as TAGS
from pileus.image.usage.routes import ROUTES as USAGE
from pileus.kernel.cloud import Cloud
from pileus.kernel.manifest import Chore, Manifest


def setup(cloud: Cloud) -> None:
    cloud.add(Stores(drivers.load(cloud.config)))


MANIFEST = Manifest(
    name="image",
    title="Image",
    routes=(*VERSIONS, *IMAGES, *DATA, *TAGS, *MEMBERS, *INFO, *USAGE, *SCHEMAS, *METADEFS, *METADEF_SCHEMAS),
    policies=(*IMAGE_RULES, *MEMBER_RULES, *METADEF_RULES),
    error_body=error_body,
    types={"image": ""},
    settings=ImageSettings,
    setup=setup,
    seed=sow,
    chores=(Chore("image-uploads", 10, sweep),),
    lax_types=False,
)
