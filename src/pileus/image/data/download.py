"""Sending an image's data: block by block, read in threads, so that size costs neither memory nor anyone's wait."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from pileus.image.cache.copies import Copies
from pileus.image.data.ranges import Span, span
from pileus.image.drivers.base import Source
from pileus.image.drivers.file import FileStore
from pileus.image.images.models import DEACTIVATED, READABLE
from pileus.image.images.queries import see
from pileus.image.locations.models import ImageLocation
from pileus.image.locations.queries import open_first, whole
from pileus.image.settings import ImageSettings
from pileus.image.stores.registry import Stores
from pileus.kernel.errors import Forbidden
from pileus.kernel.http.call import Call, Reply


class DataResponse(StreamingResponse):
    """Closes the source whatever ends the sending."""

    def __init__(self, source: Source, part: Span, block: int, status: int, headers: Mapping[str, str]) -> None:
        super().__init__(_blocks(source, part, block), status, headers, "application/octet-stream")
        self._source = source

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._source.close()


async def download(call: Call, image_id: str) -> Reply | DataResponse:
    """204 while there is no data, 206 for a part."""
    found = await asyncio.to_thread(_find, call, image_id)
    if found is None:
        return Reply(status=204)
    source, checksum = found
    try:
        asked = span(call.request.headers.get("range"), source.size)
    except BaseException:
        source.close()
        raise
    part = asked or Span(0, source.size)
    headers = {"content-length": str(part.end - part.start), "accept-ranges": "bytes"}
    if asked is not None:
        headers["content-range"] = f"bytes {part.start}-{part.end - 1}/{source.size}"
    elif checksum:
        headers["content-md5"] = checksum  # in hex, as the API documents it; of the whole, so not with a part
    block = call.cloud.settings(ImageSettings).block_size
    return DataResponse(source, part, block, 206 if asked else 200, headers)


def _find(call: Call, image_id: str) -> tuple[Source, str | None] | None:
    with call.transaction() as db:
        rows, checksum = _readable(call, db, image_id)
        copy = call.cloud.part(Copies).open(db, image_id) if rows else None
    if copy is not None:
        call.cloud.part(Copies).hit(image_id)
        return copy, checksum
    if not rows:
        return None
    return _elsewhere(call, rows), checksum


def _elsewhere(call: Call, rows: list[ImageLocation]) -> Source:
    """From a store; what is not on this host is wished here for the next time."""
    stores = call.cloud.part(Stores)
    source = open_first(stores, rows)
    here = any(isinstance(stores.get(row.store), FileStore) for row in rows)
    if not here and call.cloud.settings(ImageSettings).cache_downloads:
        with (
            contextlib.suppress(IntegrityError),
            call.transaction(write=True) as db,
        ):  # deleted, or wished by another, just now
            call.cloud.part(Copies).ask(db, rows[0].image_id)
    return source


def _readable(call: Call, db: Session, image_id: str) -> tuple[list[ImageLocation], str | None]:
    seen = see(db, call.context, image_id)
    call.enforce("download_image", seen.policy_target())
    image = seen.image
    if image.status == DEACTIVATED and not call.context.is_admin:
        raise Forbidden("The requested image has been deactivated. Image data download is forbidden.")
    if image.status not in READABLE:
        return [], None
    return whole(image, call.cloud.part(Stores)), image.checksum


async def _blocks(source: Source, part: Span, block: int) -> AsyncIterator[bytes]:
    at = part.start
    while at < part.end:
        data = await asyncio.to_thread(source.read, at, min(block, part.end - at))
        if not data:
            raise OSError(f"the image's data end at byte {at}, before {part.end}")
        at += len(data)
        yield data
