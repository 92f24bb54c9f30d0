"""/v2/images/{image_id}/tags: one tag at a time; all of them at once go through a patch."""

from pileus.image.images import actions
from pileus.image.images.queries import Seen, load
from pileus.kernel.errors import BadRequest, NotFound
from pileus.kernel.http.call import Call
from pileus.kernel.http.routes import Route

PATH = "/v2/images/{image_id}/tags/{tag}"


def add(call: Call, seen: Seen, tag: str) -> None:
    if len(tag) > 255:
        raise BadRequest("A tag may have 255 characters.")
    if tag not in seen.image.tags:
        actions.set_tags(call, seen.image, [*seen.image.tags, tag])
        actions.touch(seen.image)


def remove(call: Call, seen: Seen, tag: str) -> None:
    if tag not in seen.image.tags:
        raise NotFound(f"Image {seen.image.id} has no tag {tag}")
    actions.set_tags(call, seen.image, set(seen.image.tags) - {tag})
    actions.touch(seen.image)


ROUTES = (
    Route("PUT", PATH, add, "modify_image", load=load, status=204),
    Route("DELETE", PATH, remove, "modify_image", load=load, status=204),
)
