"""/v2/cache: the copies of images on the host that answers."""

import asyncio
from datetime import UTC

from sqlalchemy import delete, select

from pileus.image.cache.copies import Copies
from pileus.image.cache.models import CachedImage
from pileus.image.images.models import ACTIVE
from pileus.image.images.queries import Seen, load
from pileus.kernel.errors import BadRequest, NotFound
from pileus.kernel.http.call import Call, Json
from pileus.kernel.http.routes import Route

PATH = "/v2/cache"
TARGET = "x-image-cache-clear-target"


def index(call: Call) -> Json:
    """Times in seconds since 1970, sizes in bytes."""
    mine = select(CachedImage).where(CachedImage.host == call.cloud.part(Copies).host)
    rows = call.db.scalars(mine.order_by(CachedImage.created_at)).all()
    return {
        "cached_images": [_view(row) for row in rows if row.size is not None],
        "queued_images": [row.image_id for row in rows if row.size is None],
    }


def _view(row: CachedImage) -> Json:
    return {
        "image_id": row.image_id,
        "size": row.size,
        "hits": row.hits,
        "last_accessed": row.last_accessed.replace(tzinfo=UTC).timestamp(),
        "last_modified": row.last_modified.replace(tzinfo=UTC).timestamp(),
    }


def queue(call: Call, seen: Seen) -> None:
    if seen.image.status != ACTIVE:
        raise BadRequest(f"Image {seen.image.id} is {seen.image.status}: only active images can be cached.")
    call.cloud.part(Copies).ask(call.db, seen.image.id)


def destroy(call: Call, image_id: str) -> None:
    row = call.db.get(CachedImage, (call.cloud.part(Copies).host, image_id))
    if row is None:
        raise NotFound(f"Image {image_id} is neither cached nor queued for it on this host.")
    call.db.delete(row)
    _clean_later(call)


def clear(call: Call) -> None:
    """Both the copies and those only asked for, or what the header names."""
    target = call.request.headers.get(TARGET, "")
    if target not in ("", "cache", "queue"):
        raise BadRequest(f"{TARGET} is cache or queue, not {target!r}.")
    doomed = delete(CachedImage).where(CachedImage.host == call.cloud.part(Copies).host)
    if target:
        doomed = doomed.where(CachedImage.size.is_not(None) if target == "cache" else CachedImage.size.is_(None))
    call.db.execute(doomed)
    _clean_later(call)


def prune(call: Call) -> None:
    """Until the copies fit the size that they may have together."""
    call.cloud.part(Copies).forget_oldest(call.db)
    _clean_later(call)


def clean(call: Call) -> None:
    """What is not whole, and what nobody asked for."""
    _clean_later(call)


def _clean_later(call: Call) -> None:
    """Files after the rows, in a thread: freeing big ones takes its time."""
    copies = call.cloud.part(Copies)

    def clean() -> None:
        asyncio.get_running_loop().run_in_executor(None, copies.clean)

    call.after_commit(clean)


ROUTES = (
    Route("GET", PATH, index, "cache_list"),
    Route("DELETE", PATH, clear, "cache_delete", status=204),
    Route("PUT", f"{PATH}/{{image_id}}", queue, "cache_image", load=load, status=202),
    Route("DELETE", f"{PATH}/{{image_id}}", destroy, "cache_delete", status=204),
    Route("POST", f"{PATH}/prune", prune, "cache_delete", status=204),
    Route("POST", f"{PATH}/clean", clean, "cache_delete", status=204),
)
