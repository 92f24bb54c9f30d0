"""Images as the API shows them."""

from pileus.image.images.attributes import is_reserved
from pileus.image.images.models import Image
from pileus.image.images.queries import Seen
from pileus.image.locations.models import ImageLocation
from pileus.image.locations.queries import key_of, whole
from pileus.image.locations.views import location_view
from pileus.image.protections import callers as protections
from pileus.image.settings import ImageSettings
from pileus.image.stores.registry import Stores
from pileus.kernel import clock
from pileus.kernel.cloud import Cloud
from pileus.kernel.http.call import Call, Json


def view(call: Call, image: Image) -> Json:
    """Links are paths below the endpoint: clients know where that is. Properties are those that the caller may see."""
    own = {name: value for name, value in image.properties.items() if is_reserved(name)}
    custom = {name: value for name, value in image.properties.items() if name not in own}
    return {
        **own,
        **protections.readable(call, custom),
        "id": image.id,
        "name": image.name,
        "status": image.status,
        "visibility": image.visibility,
        "protected": image.protected,
        "os_hidden": image.os_hidden,
        "owner": image.owner,
        "disk_format": image.disk_format,
        "container_format": image.container_format,
        "size": image.size,
        "virtual_size": image.virtual_size,
        "checksum": image.checksum,
        "os_hash_algo": image.os_hash_algo,
        "os_hash_value": image.os_hash_value,
        "min_disk": image.min_disk,
        "min_ram": image.min_ram,
        "created_at": clock.iso(image.created_at),
        "updated_at": clock.iso(image.updated_at),
        "tags": image.tags,
        "self": f"/v2/images/{image.id}",
        "file": f"/v2/images/{image.id}/file",
        "schema": "/v2/schemas/image",
        **_places(call, image),
    }


def shows_places(cloud: Cloud) -> bool:
    """Does anything in an image's view depend on where its data is?"""
    settings = cloud.settings(ImageSettings)
    return cloud.part(Stores).several or settings.show_multiple_locations or settings.show_image_direct_url


def _places(call: Call, image: Image) -> Json:
    """The stores' names are for all who see the image, addresses for those who may change it (or what the rule says)."""
    if not shows_places(call.cloud):
        return {}
    stores, settings = call.cloud.part(Stores), call.cloud.settings(ImageSettings)
    rows = whole(image, stores)
    shown: Json = {}
    if stores.several and rows:
        shown["stores"] = ",".join(dict.fromkeys(row.store for row in rows))
    if not call.allows("get_image_location", Seen(image).policy_target()):
        return shown
    if settings.show_multiple_locations:
        shown["locations"] = [location_view(stores, row) for row in rows]
    if settings.show_image_direct_url and rows:
        shown["direct_url"] = _url(stores, rows[0])
    return shown


def _url(stores: Stores, row: ImageLocation) -> str:
    store = stores.get(row.store)
    return store.url(key_of(row)) if store is not None else ""
