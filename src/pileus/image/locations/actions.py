"""Adding a location the newer way: a task looks at the data before the image becomes active."""

import msgspec

from pileus.image.data.lease import drop_pointers
from pileus.image.images.models import IMPORTING, QUEUED, Image
from pileus.image.locations.models import ImageLocation
from pileus.image.locations.validation import Validation, pointed_at
from pileus.image.tasks import actions as tasks
from pileus.image.tasks.models import LOCATION_IMPORT
from pileus.image.usage import quotas
from pileus.kernel import clock
from pileus.kernel.errors import BadRequest, Conflict
from pileus.kernel.http.call import Call


def point(call: Call, image: Image, url: str, said: object) -> None:
    if image.status != QUEUED:
        raise Conflict(f"Image {image.id} is {image.status}: a location can be added only while it is queued.")
    store = pointed_at(call.cloud, url)
    validation = Validation.of(said)
    if image.disk_format is None or image.container_format is None:
        raise BadRequest("Properties disk_format, container_format must be set prior to saving data.")
    quotas.check(call.cloud, call.db, image.owner, {"image_count_uploading": 1})
    drop_pointers(call.db, image.id)
    call.db.add(ImageLocation(image_id=image.id, store=store.name, key=url))
    image.status, image.updated_at = IMPORTING, clock.now()
    asked: dict[str, object] = {"image_id": image.id, "loc_url": url}
    if validation is not None:
        asked["validation_data"] = msgspec.to_builtins(validation)
    tasks.start(call, LOCATION_IMPORT, asked, image_id=image.id)
