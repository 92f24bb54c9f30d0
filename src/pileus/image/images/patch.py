"""JSON patches of images: the two documented media types, as a list of changes, and what each change may do."""

from typing import Literal

import msgspec

from pileus.image.images import actions
from pileus.image.images.attributes import FORMATS, SETTABLE, ImageShape
from pileus.image.images.models import QUEUED, Image
from pileus.image.images.queries import Seen
from pileus.image.locations import changes as locations
from pileus.image.protections import callers as protections
from pileus.image.protections.rules import Operation
from pileus.kernel.errors import BadRequest, Conflict, Forbidden, UnsupportedMediaType
from pileus.kernel.http import schema
from pileus.kernel.http.call import Call

Verb = Literal["add", "replace", "remove"]
VERBS: tuple[Verb, ...] = ("add", "replace", "remove")
OPERATIONS: dict[str, Operation] = {"add": "create", "replace": "update", "remove": "delete"}
CURRENT = "application/openstack-images-v2.1-json-patch"
OLD = "application/openstack-images-v2.0-json-patch"  # {"replace": "/name", "value": …}; deprecated


class Change(msgspec.Struct, frozen=True):
    verb: Verb
    name: str
    value: object = None


def read(body: list[object], media_type: str) -> list[Change]:
    kind = media_type.partition(";")[0].strip().lower()
    if kind not in (CURRENT, OLD):
        raise UnsupportedMediaType(f"Content-Type {kind or 'none'} is not supported; send {CURRENT}.")
    return [_change(item, old=kind == OLD) for item in body]


def _change(item: object, *, old: bool) -> Change:
    if not isinstance(item, dict):
        raise BadRequest("Each operation of the patch must be a JSON object.")
    verb = next((v for v in VERBS if v in item), None) if old else item.get("op")
    path = item.get(verb or "") if old else item.get("path")
    if verb not in VERBS:
        raise BadRequest(f"Operation {verb!r} is not supported; known: {', '.join(VERBS)}.")
    if verb != "remove" and "value" not in item:
        raise BadRequest(f"Operation {verb} requires a member named 'value'.")
    return Change(verb, _pointer(path), item.get("value"))


def _pointer(path: object) -> str:
    """The one name in a JSON pointer (RFC 6901)."""
    if not isinstance(path, str) or not path.startswith("/"):
        raise BadRequest(f"Pointer {path!r} does not start with '/'.")
    name = path[1:]
    if name.startswith("locations/") and name.count("/") == 1:
        return name
    if not name or "/" in name or "~" in name.replace("~0", "").replace("~1", ""):
        raise BadRequest(f"Pointer {path!r} does not name an attribute of an image.")
    return name.replace("~1", "/").replace("~0", "~")


def apply(call: Call, image: Image, changes: list[Change]) -> None:
    before = image.visibility
    for change in changes:
        head, _, place = change.name.partition("/")
        if head == "locations":
            locations.change(call, image, change.verb, place, change.value)
            continue
        if change.name == "id":
            raise Forbidden("Attribute 'id' is read-only.")
        actions.refuse_read_only(change.name)
        if change.name in SETTABLE:
            _set_attribute(call, image, change)
        else:
            _set_property(call, image, change)
    actions.check_formats(image)
    if image.visibility != before:
        actions.may_show(call, image)
    if changes:
        actions.touch(image)


def _set_attribute(call: Call, image: Image, change: Change) -> None:
    name = change.name
    if change.verb == "remove":
        raise Forbidden(f"Property '{name}' may not be removed.")
    if name in FORMATS and image.status != QUEUED:
        raise Forbidden(f"Attribute {name} can be replaced only while the image is queued.")
    given = schema.read({name: change.value}, ImageShape, call.version, lax=False)
    if name == "tags":
        assert isinstance(given.tags, list)
        actions.set_tags(call, image, given.tags)
        return
    if name == "owner" and given.owner != image.owner:
        setattr(image, name, given.owner)
        call.enforce("add_image", Seen(image).policy_target())  # as if it were made there
        return
    setattr(image, name, getattr(given, name))


def _set_property(call: Call, image: Image, change: Change) -> None:
    protections.enforce(call, OPERATIONS[change.verb], change.name)
    there = change.name in image.extra
    if change.verb == "add" and there:
        raise Conflict(f"Property {change.name} is there already: replace it.")
    if change.verb != "add" and not there:
        raise Conflict(f"Property {change.name} does not exist.")
    if change.verb == "remove":
        del image.extra[change.name]
    else:
        actions.set_property(call, image, change.name, change.value)
