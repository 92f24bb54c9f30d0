"""Locations in patches of images: the older way, for clouds that show them (`show_multiple_locations`).

Who may point an image at an address may change later what is there: hosts check the format of what they download, always.
"""

from collections.abc import Mapping, Sequence

from sqlalchemy.orm import Session

from pileus.image.data.removal import remove_later
from pileus.image.images.models import ACTIVE, QUEUED, Image
from pileus.image.images.queries import Seen
from pileus.image.locations.models import ImageLocation
from pileus.image.locations.queries import key_of, whole
from pileus.image.locations.validation import Validation, pointed_at
from pileus.image.settings import ImageSettings
from pileus.image.stores.registry import Stores
from pileus.kernel.errors import BadRequest, Conflict, Forbidden
from pileus.kernel.http.call import Call

MOST = 10  # locations of an image


def change(call: Call, image: Image, verb: str, place: str, value: object) -> None:
    """`place` is "" for all of them, "-" for the end, or an index."""
    if not call.cloud.settings(ImageSettings).show_multiple_locations:
        raise Forbidden("This cloud does not show locations, and lets nobody change them.")
    if image.status not in (QUEUED, ACTIVE):
        raise Conflict(f"The locations of an image in status {image.status} cannot be changed.")
    target = Seen(image).policy_target()
    if verb == "remove":
        call.enforce("delete_image_location", target)
        _remove(call, image, place)
    elif verb == "add" and place:
        call.enforce("set_image_location", target)
        _add(call, image, _given(value))
    elif not place:
        call.enforce("set_image_location", target)
        _replace(call, image, value)
    else:
        raise BadRequest("Locations are replaced all together: replace /locations.")


def _given(value: object) -> Mapping[str, object]:
    """`{"url", "metadata", "validation_data"?}`"""
    if (
        not isinstance(value, dict)
        or not isinstance(value.get("url"), str)
        or not isinstance(value.get("metadata"), dict)
    ):
        raise BadRequest("A location is an object with a url and metadata.")
    unknown = value.keys() - {"url", "metadata", "validation_data"}
    if unknown:
        raise BadRequest(f"A location has no member {', '.join(sorted(unknown))}.")
    return value


def _add(call: Call, image: Image, given: Mapping[str, object]) -> None:
    stores = call.cloud.part(Stores)
    url = str(given["url"])
    store = pointed_at(call.cloud, url)
    there = whole(image, stores)
    if len(there) >= MOST:
        raise BadRequest(f"An image may have {MOST} locations.")
    if any(row.key == url for row in there):
        raise BadRequest(f"The image has the location {url} already.")
    _validate(image, given.get("validation_data"))
    details = given["metadata"]
    assert isinstance(details, dict)
    last = max((row.position for row in image.locations), default=-1)
    image.locations.append(ImageLocation(store=store.name, key=url, position=last + 1, details=_words(details)))
    if image.status == QUEUED:
        if image.disk_format is None or image.container_format is None:
            raise BadRequest("Properties disk_format, container_format must be set prior to saving data.")
        image.status = ACTIVE


def _replace(call: Call, image: Image, value: object) -> None:
    """All of them at once: new ones where there are none, else only what is said about each."""
    if not isinstance(value, Sequence) or isinstance(value, str):
        raise BadRequest("locations must be a list.")
    given = [_given(one) for one in value]
    rows = whole(image, call.cloud.part(Stores))
    if not rows:
        for one in given:
            _add(call, image, one)
        return
    by_url = {_url(call, row): row for row in rows}
    if len(given) != len(rows) or {str(one["url"]) for one in given} != set(by_url):
        raise BadRequest(
            "Replacing locations can change their metadata and nothing else: add or remove single locations."
        )
    for one in given:
        details = one["metadata"]
        assert isinstance(details, dict)
        by_url[str(one["url"])].details = _words(details)


def _remove(call: Call, image: Image, place: str) -> None:
    rows = whole(image, call.cloud.part(Stores))
    if not place.isdecimal() or int(place) >= len(rows):
        raise BadRequest(f"There is no location {place or 'without an index'}; this image has {len(rows)}.")
    drop(call, call.db, image, rows[int(place)])


def drop(call: Call, db: Session, image: Image, row: ImageLocation) -> None:
    """One location less, with the data in it; never the last."""
    if len(whole(image, call.cloud.part(Stores))) < 2:
        raise Forbidden("The last location cannot be removed: that would leave the image without its data.")
    image.locations.remove(row)
    db.flush()
    remove_later(call, [row])


def _validate(image: Image, given: object) -> None:
    """Hashes that come with a location become the image's, or must be the ones that it has."""
    if not given:
        return
    known = {"checksum": image.checksum, "os_hash_algo": image.os_hash_algo, "os_hash_value": image.os_hash_value}
    if image.status == QUEUED and image.os_hash_value is None and image.checksum is None:
        said = Validation.of(given)
        assert said is not None
        image.checksum, image.os_hash_algo, image.os_hash_value = said.checksum, said.os_hash_algo, said.os_hash_value
    elif not isinstance(given, dict) or not known.keys() >= given.keys() or {**known, **given} != known:
        raise Conflict("validation_data differs from what the image's data is known to be.")


def _words(details: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in details.items() if name != "store"}


def _url(call: Call, row: ImageLocation) -> str:
    store = call.cloud.part(Stores).get(row.store)
    return store.url(key_of(row)) if store is not None else ""
