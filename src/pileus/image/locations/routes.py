"""/v2/images/{image_id}/locations: where an image's data is."""

from typing import Annotated

from msgspec import Meta

from pileus.image.images.queries import Seen, load
from pileus.image.locations.actions import point
from pileus.image.locations.queries import whole
from pileus.image.locations.views import location_view
from pileus.image.stores.registry import Stores
from pileus.kernel.http.call import Call
from pileus.kernel.http.routes import Route
from pileus.kernel.http.schema import UNSET, Shape, Unset

PATH = "/v2/images/{image_id}/locations"


class LocationBody(Shape):
    """`validation_data`: os_hash_algo, os_hash_value, checksum."""

    url: Annotated[str, Meta(min_length=1, max_length=2048)]
    validation_data: dict[str, object] | Unset = UNSET


def index(call: Call, seen: Seen) -> list[dict[str, object]]:
    stores = call.cloud.part(Stores)
    return [location_view(stores, row) for row in whole(seen.image, stores)]


def create(call: Call, seen: Seen, body: LocationBody) -> None:
    point(call, seen.image, body.url, None if isinstance(body.validation_data, Unset) else body.validation_data)


ROUTES = (
    Route("GET", PATH, index, "fetch_image_location", load=load),
    Route("POST", PATH, create, "add_image_location", load=load, status=202),
)
