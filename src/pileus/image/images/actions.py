"""Creating, changing and deleting images. All of it is database work; the data follows in `pileus.image.data`."""

from collections.abc import Iterable, Mapping

from pileus.image.data.removal import remove_later
from pileus.image.images.attributes import AMAZON, COMMON, READ_ONLY, SETTABLE, CommonShape, ImageShape, is_reserved
from pileus.image.images.models import ACTIVE, DEACTIVATED, PENDING_DELETE, READABLE, Image, ImageProperty, ImageTag
from pileus.image.images.queries import Seen
from pileus.image.protections import callers as protections
from pileus.image.settings import ImageSettings
from pileus.image.usage import quotas
from pileus.kernel import clock
from pileus.kernel.errors import BadRequest, Conflict, Forbidden, TooLarge
from pileus.kernel.http import schema
from pileus.kernel.http.call import Call
from pileus.kernel.http.schema import UNSET


def create(call: Call, body: Mapping[str, object]) -> Image:
    for name in body:
        refuse_read_only(name)
    given = schema.read({k: v for k, v in body.items() if k in SETTABLE}, ImageShape, call.version, lax=False)
    image = Image(owner=call.context.project_id, extra={}, tag_rows=[], locations=[])
    for name in SETTABLE - {"tags"}:
        value = getattr(given, name)
        if value is not UNSET:
            setattr(image, name, value)
    if given.visibility is UNSET:
        image.visibility = "shared"
    if not isinstance(given.tags, schema.Unset):
        set_tags(call, image, given.tags)
    for name, value in body.items():
        if name not in SETTABLE:
            set_property(call, image, name, value)
    check_formats(image)
    call.enforce("add_image", Seen(image).policy_target())
    may_show(call, image)
    if isinstance(given.id, str) and call.db.get(Image, given.id) is not None:
        raise Conflict(f"An image with ID {given.id} exists already.")
    quotas.check(call.cloud, call.db, image.owner, {"image_count_total": 1})
    call.db.add(image)
    call.db.flush()
    return image


def delete(call: Call, image: Image) -> None:
    """The row goes now and the data after the commit; with delayed deletion both stay for a while, unseen."""
    if image.protected:
        raise Forbidden(f"Image {image.id} is protected and cannot be deleted: set protected to false first.")
    settings = call.cloud.settings(ImageSettings)
    if settings.delayed_delete and image.status in READABLE:
        image.status, image.scrub_at = PENDING_DELETE, clock.after(settings.scrub_time)
        return
    remove_later(call, image.locations)
    call.db.delete(image)


def deactivate(image: Image) -> None:
    _switch(image, {ACTIVE, DEACTIVATED}, DEACTIVATED)


def reactivate(image: Image) -> None:
    _switch(image, {ACTIVE, DEACTIVATED}, ACTIVE)


def _switch(image: Image, possible: set[str], status: str) -> None:
    if image.status not in possible:
        raise Forbidden(f"An image in status {image.status} cannot become {status}: it has no data yet.")
    if image.status != status:
        image.status = status
        touch(image)


def touch(image: Image) -> None:
    image.updated_at = clock.now()


def refuse_read_only(name: str) -> None:
    if name in READ_ONLY:
        raise Forbidden(f"Attribute '{name}' is read-only.")
    if is_reserved(name):
        raise Forbidden(f"Attribute '{name}' is reserved.")


def may_show(call: Call, image: Image) -> None:
    """The rules on opening an image to other projects."""
    target = Seen(image).policy_target()
    if image.visibility == "public":
        call.enforce("publicize_image", target)
    elif image.visibility == "community":
        call.enforce("communitize_image", target)


def check_formats(image: Image) -> None:
    disk, container = image.disk_format, image.container_format
    if container in AMAZON and disk is not None and disk != container:
        raise BadRequest(f"The disk_format of a container_format {container} must be {container} as well, not {disk}.")


def set_property(call: Call, image: Image, name: str, value: object) -> None:
    if not name or len(name) > 255:
        raise BadRequest("A property's name must have 1 to 255 characters.")
    protections.enforce(call, "update" if name in image.extra else "create", name)
    if name in COMMON:
        schema.read({name: value}, CommonShape, call.version, lax=False)
    elif not isinstance(value, str):
        raise BadRequest(f"Invalid input: the value of property '{name}' must be a string.")
    text = value if isinstance(value, str) else None
    if text is not None and len(text.encode()) > 65535:
        raise BadRequest(f"The value of property '{name}' is longer than 65535 bytes.")
    most = call.cloud.settings(ImageSettings).max_properties
    if name in image.extra:
        image.extra[name].value = text
    elif sum(not is_reserved(there) for there in image.extra) >= most:
        raise TooLarge(f"An image may have {most} custom properties.")
    else:
        image.extra[name] = ImageProperty(name=name, value=text)


def set_tags(call: Call, image: Image, tags: Iterable[str]) -> None:
    wanted = set(tags)
    most = call.cloud.settings(ImageSettings).max_tags
    if len(wanted) > most:
        raise TooLarge(f"An image may have {most} tags.")
    kept = [row for row in image.tag_rows if row.value in wanted]
    new = wanted - {row.value for row in kept}
    image.tag_rows = kept + [ImageTag(value=value) for value in sorted(new)]
