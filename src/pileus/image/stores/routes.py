"""/v2/stores/{store_id}/{image_id}: an image's data in one store; /v2/info/stores: which stores there are."""

from pileus.image.images.models import READABLE
from pileus.image.images.queries import Seen, load
from pileus.image.locations.changes import drop
from pileus.image.locations.queries import whole
from pileus.image.settings import ImageSettings
from pileus.image.stores.registry import Stores
from pileus.image.tasks.queries import running
from pileus.kernel.errors import Conflict, NotFound
from pileus.kernel.http.call import Call, Json
from pileus.kernel.http.routes import Route


def destroy(call: Call, seen: Seen, store_id: str) -> None:
    """The data in that store alone. Errors: 403 for the last, 404, 409 while the image is being imported or copied."""
    stores, image = call.cloud.part(Stores), seen.image
    if store_id not in stores.named:
        raise NotFound(f"There is no store {store_id}.")
    if image.status not in READABLE or running(call.db, image.id) is not None:
        raise Conflict(f"Image {image.id} is {image.status} or being copied: its data stays where it is now.")
    row = next((row for row in whole(image, stores) if row.store == store_id), None)
    if row is None:
        raise NotFound(f"Image {image.id} has no data in store {store_id}.")
    drop(call, call.db, image, row)


def index(call: Call) -> Json:
    return {"stores": _listed(call, details=False)}


def detail(call: Call) -> Json:
    return {"stores": _listed(call, details=True)}


def _listed(call: Call, *, details: bool) -> list[Json]:
    stores, settings = call.cloud.part(Stores), call.cloud.settings(ImageSettings)
    listed: list[Json] = []
    for name, store in stores.named.items():
        given = settings.stores.get(name)
        shown: Json = {"id": name}
        if given is not None and given.description:
            shown["description"] = given.description
        if store is stores.default:
            shown["default"] = "true"
        if store.read_only:
            shown["read-only"] = "true"
        if any(stores.weights.values()):
            shown["weight"] = stores.weight(name)
        if details:
            shown["type"] = given.driver if given is not None else "file"
            shown["properties"] = dict(store.properties())
        listed.append(shown)
    return listed


ROUTES = (
    Route("DELETE", "/v2/stores/{store_id}/{image_id}", destroy, "delete_image_location", load=load, status=204),
    Route("GET", "/v2/info/stores", index, "get_images"),
    Route("GET", "/v2/info/stores/detail", detail, "stores_info_detail"),
)
