"""/v2/images: records of images. Their data is in `pileus.image.data`."""

from sqlalchemy import select

from pileus.image.envelope import page_body
from pileus.image.images import actions, filters, patch
from pileus.image.images.models import Image
from pileus.image.images.queries import Seen, load, visible
from pileus.image.images.views import view
from pileus.image.settings import ImageSettings
from pileus.image.stores.registry import Stores
from pileus.kernel.errors import BadRequest, MethodNotAllowed, NotFound
from pileus.kernel.http.call import Call, Json, Reply
from pileus.kernel.http.routes import Route

PATH = "/v2/images"


def index(call: Call) -> Json:
    _refuse_empty_id(call)
    marker = call.query_value("marker")
    if marker and call.db.scalar(select(Image.id).where(Image.id == marker, visible(call.context))) is None:
        raise BadRequest(f"Invalid marker: no image found with ID {marker}")
    page = filters.IMAGES.page(call, filters.narrowed(call))
    return page_body(
        call, page, PATH, "/v2/schemas/images", lambda image: view(call, image), marker=lambda image: image.id
    )


def create(call: Call, body: dict[str, object]) -> Reply:
    image = actions.create(call, body)
    return Reply(view(call, image), headers={"location": call.url(f"{PATH}/{image.id}"), **_ways(call)})


def _ways(call: Call) -> dict[str, str]:
    """Headers that tell how data may come: clients choose by them."""
    methods = call.cloud.settings(ImageSettings).import_methods
    ways = {"openstack-image-import-methods": ",".join(methods)} if methods else {}
    stores = call.cloud.part(Stores)
    if stores.several:
        ways["openstack-image-store-ids"] = ",".join(store.name for store in stores.writable())
    return ways


def show(call: Call, seen: Seen) -> Json:
    return view(call, seen.image)


def update(call: Call, seen: Seen, body: list[object]) -> Json:
    changes = patch.read(body, call.request.headers.get("content-type", ""))
    patch.apply(call, seen.image, changes)
    call.db.flush()
    return view(call, seen.image)


def destroy(call: Call, seen: Seen) -> None:
    actions.delete(call, seen.image)


def deactivate(call: Call, seen: Seen) -> None:
    actions.deactivate(seen.image)


def reactivate(call: Call, seen: Seen) -> None:
    actions.reactivate(seen.image)


def no_id(call: Call) -> None:
    """Clients that lost the id in `/v2/images/{id}` must not be told that the list cannot be deleted."""
    _refuse_empty_id(call)
    raise MethodNotAllowed("DELETE is not allowed here; allowed: GET, POST.", headers={"allow": "GET, POST"})


def _refuse_empty_id(call: Call) -> None:
    if call.request.scope["path"].endswith("/"):
        raise NotFound("No image found with an empty ID.")


ROUTES = (
    Route("GET", PATH, index, "get_images"),
    Route("POST", PATH, create, "add_image", status=201),
    Route("DELETE", PATH, no_id, "get_images"),
    Route("GET", f"{PATH}/{{image_id}}", show, "get_image", load=load),
    Route("PATCH", f"{PATH}/{{image_id}}", update, "modify_image", load=load),
    Route("DELETE", f"{PATH}/{{image_id}}", destroy, "delete_image", load=load, status=204),
    Route("POST", f"{PATH}/{{image_id}}/actions/deactivate", deactivate, "deactivate", load=load, status=204),
    Route("POST", f"{PATH}/{{image_id}}/actions/reactivate", reactivate, "reactivate", load=load, status=204),
)
