"""Asking for an import: everything that can be checked now is, the image is taken, and a task does the rest."""

import re
from collections.abc import Mapping

import msgspec

from pileus.image.data.lease import drop_pointers, is_staged
from pileus.image.images import actions
from pileus.image.images.attributes import UUID
from pileus.image.images.models import ACTIVE, IMPORTING, QUEUED, UPLOADING, Image
from pileus.image.images.queries import Seen
from pileus.image.imports import progress
from pileus.image.imports.schemas import COPY_IMAGE, GLANCE_DIRECT, GLANCE_DOWNLOAD, WEB_DOWNLOAD, ImportBody, Method
from pileus.image.locations.queries import whole
from pileus.image.settings import ImageSettings
from pileus.image.stores.registry import Stores
from pileus.image.tasks import actions as tasks
from pileus.image.tasks import queries, sealing
from pileus.image.tasks.models import API_IMAGE_IMPORT, IMPORT, Task
from pileus.image.tasks.models import COPY_IMAGE as COPY_TASK
from pileus.image.tasks.schemas import TaskInput
from pileus.image.usage import quotas
from pileus.image.web import Refused, Web
from pileus.kernel.errors import BadRequest, Conflict
from pileus.kernel.http.call import Call
from pileus.kernel.http.schema import Unset

BEFORE = {GLANCE_DIRECT: UPLOADING, WEB_DOWNLOAD: QUEUED, GLANCE_DOWNLOAD: QUEUED, COPY_IMAGE: ACTIVE}


def ask(call: Call, seen: Seen, body: ImportBody) -> None:
    image, method = seen.image, body.method
    call.enforce("copy_image" if method.name == COPY_IMAGE else "modify_image", seen.policy_target())
    _check_method(call, method)
    stores = _wanted(call, image, body)
    before = BEFORE[method.name]
    if image.status != before:
        raise Conflict(f"Image {image.id} is {image.status}: {method.name} needs it {before}.")
    if method.name == GLANCE_DIRECT and not is_staged(call.db, image.id):
        raise Conflict(f"The data of image {image.id} is still being staged.")
    if queries.running(call.db, image.id) is not None:
        raise Conflict(f"Image {image.id} is being imported or copied already; its tasks tell how far that is.")
    if method.name != COPY_IMAGE:
        if method.name != GLANCE_DOWNLOAD and (image.disk_format is None or image.container_format is None):
            raise BadRequest("'container_format' and 'disk_format' need to be set before import.")
        quotas.check(call.cloud, call.db, image.owner, {"image_count_uploading": 0 if before == UPLOADING else 1})
        if before == QUEUED:
            drop_pointers(call.db, image.id)
        image.status = IMPORTING
    token = call.context.token if method.name == GLANCE_DOWNLOAD else None
    task = tasks.start(
        call,
        COPY_TASK if method.name == COPY_IMAGE else API_IMAGE_IMPORT,
        {
            "image_id": image.id,
            "import_req": msgspec.to_builtins(body),
            "backend": stores,
            "roles": [*call.context.roles],
        },
        image_id=image.id,
        sealed=sealing.seal(call.cloud, token) if token else None,
    )
    progress.begin(image, task.id, stores)


def import_from_url(call: Call, given: TaskInput) -> Task:
    """An image that is made by a task of its own. Raises BadRequest when it could not become one."""
    check_url(call, given.import_from)
    properties = {"disk_format": given.import_from_format, "container_format": "bare", **given.image_properties}
    image = actions.create(call, properties)
    image.status = IMPORTING
    stores = [call.cloud.part(Stores).default.name]
    asked: dict[str, object] = {
        "import_from": given.import_from,
        "import_from_format": given.import_from_format,
        "image_properties": given.image_properties,
        "backend": stores,
        "roles": [*call.context.roles],
    }
    task = tasks.start(call, IMPORT, asked, image_id=image.id)
    progress.begin(image, task.id, stores)
    return task


def check_url(call: Call, url: str) -> None:
    try:
        call.cloud.part(Web).check(url)
    except Refused as error:
        raise BadRequest(f"URI for web-download: {error}") from None


def _check_method(call: Call, method: Method) -> None:
    allowed = call.cloud.settings(ImageSettings).import_methods
    if method.name not in allowed or method.name not in BEFORE:
        raise BadRequest(f"Import method {method.name!r} is not one of this cloud's: {', '.join(allowed)}.")
    if method.name == WEB_DOWNLOAD:
        check_url(call, _needed(method, "uri"))
    if method.name == GLANCE_DOWNLOAD and not re.fullmatch(UUID, _needed(method, "glance_image_id")):
        raise BadRequest(
            "Given image id does not look like a UUID: glance_image_id names an image of the other region."
        )


def _needed(method: Method, name: str) -> str:
    given: Mapping[str, object] = msgspec.to_builtins(method)
    value = given.get(name)
    if not isinstance(value, str):
        raise BadRequest(f"Import method {method.name} needs {name}.")
    return value


def _wanted(call: Call, image: Image, body: ImportBody) -> list[str]:
    """Names of the stores that the data goes to."""
    stores, header = call.cloud.part(Stores), call.request.headers.get("x-image-meta-store")
    known = [store.name for store in stores.writable()]
    if body.all_stores and not isinstance(body.stores, Unset):
        raise BadRequest("Give either stores or all_stores.")
    if body.all_stores:
        asked = known
    elif not isinstance(body.stores, Unset):
        asked = list(dict.fromkeys(body.stores))
    else:
        asked = [header or stores.default.name]
    for name in asked:
        if name not in known:
            raise BadRequest(f"There is no store {name} that takes data in this cloud; there is {', '.join(known)}.")
    if body.method.name != COPY_IMAGE:
        return asked
    there = {row.store for row in whole(image, stores)}
    return [name for name in asked if name not in there]
