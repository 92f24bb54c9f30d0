"""Receiving an image's data: claim → stream into the store → check → active. Whatever fails leaves it queued, without data.

Blocks are hashed and written in a thread while the next one is received: at most three are in memory, and the event loop
only moves bytes. Every part of the database work is one short transaction of its own.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator

from starlette.requests import Request

from pileus.image.data import lease
from pileus.image.data.intake import Intake, Oversize, Received
from pileus.image.drivers.base import DataKey, Sink, StoreFull, Stores
from pileus.image.formats import FormatRefused
from pileus.image.images.models import QUEUED, Image
from pileus.image.images.queries import see
from pileus.image.settings import ImageSettings
from pileus.image.usage import quotas
from pileus.kernel.errors import BadRequest, Conflict, Gone, TooLarge, UnsupportedMediaType
from pileus.kernel.http.call import Call, Reply

log = logging.getLogger(__name__)


async def upload(call: Call, image_id: str) -> Reply:
    """One upload. Its errors: 400, 403, 404, 409, 410, 413, 415."""
    kind = call.request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/octet-stream":
        raise UnsupportedMediaType(f"Content-Type {kind or 'none'} is not supported; send application/octet-stream.")
    _check_store(call)
    length = _length(call.request)
    key, disk_format, most = await asyncio.to_thread(_begin, call, image_id, length)
    writing = Writing(call, key)
    try:
        sink = await asyncio.to_thread(call.cloud.part(Stores).default.create, key)
        writing.sink = sink
        received = await _receive(call, writing, Intake(sink, most), disk_format, length)
        await asyncio.to_thread(_complete, call, key, received)
    except FormatRefused as error:
        raise UnsupportedMediaType(str(error)) from None
    except Oversize as error:
        raise TooLarge(str(error)) from None
    except StoreFull as error:
        log.error("the image store is full: %s", error)
        raise TooLarge("There is no room for the image's data in this cloud's image store.") from None
    else:
        writing.done = True
    finally:
        if not writing.done:
            await asyncio.shield(asyncio.to_thread(writing.give_up))
    return Reply(status=204)


class Writing:
    """One upload under way, so that its failure can be undone."""

    def __init__(self, call: Call, key: DataKey) -> None:
        self.cloud = call.cloud
        self.key = key
        self.sink: Sink | None = None
        self.lost = False
        self.done = False

    def give_up(self) -> None:
        if self.sink is not None:
            self.sink.abort()
        with self.cloud.db.writing() as db:
            lease.release(db, self.key)

    async def keep(self) -> None:
        """Renew the lease until cancelled: a client may be slow, this process is alive."""
        seconds = self.cloud.settings(ImageSettings).upload_lease
        while not self.lost:
            await asyncio.sleep(seconds / 3)
            try:
                self.lost = not await asyncio.to_thread(self._renew, seconds)
            except Exception:
                log.exception("the lease of the upload of image %s was not renewed", self.key.image_id)

    def _renew(self, seconds: int) -> bool:
        with self.cloud.db.writing() as db:
            return lease.renew(db, self.key, seconds)


def _begin(call: Call, image_id: str, length: int | None) -> tuple[DataKey, str, int | None]:
    """Check everything that can be checked before the first byte, and take the lease."""
    settings = call.cloud.settings(ImageSettings)
    with call.transaction(write=True) as db:
        seen = see(db, call.context, image_id, lock=True)
        call.enforce("upload_image", seen.policy_target())
        image = seen.image
        if image.status != QUEUED:
            raise Conflict(f"Image {image_id} is {image.status}: data can be uploaded only while it is queued.")
        if image.disk_format is None or image.container_format is None:
            raise BadRequest("Properties disk_format, container_format must be set prior to saving data.")
        quotas.check(call.cloud, db, image.owner, {"image_count_uploading": 1})
        bounds = [settings.max_size or None, quotas.bytes_left(call.cloud, db, image.owner)]
        most = min((bound for bound in bounds if bound is not None), default=None)
        if most is not None and (length or 0) > most:
            raise TooLarge(str(Oversize(most)))
        key = lease.claim(db, image_id, settings.upload_lease)
        if key is None:
            raise Conflict(f"Image {image_id} is being uploaded already.")
        return key, image.disk_format, most


async def _receive(call: Call, writing: Writing, intake: Intake, disk_format: str, length: int | None) -> Received:
    settings = call.cloud.settings(ImageSettings)
    keeper = asyncio.create_task(writing.keep())
    worker: asyncio.Task[None] | None = None
    try:
        async for block in blocks(call.request, settings.block_size, settings.upload_idle):
            if worker is not None:
                await worker
            if writing.lost:
                raise Gone(f"Image {writing.key.image_id} was deleted during the upload.")
            worker = asyncio.create_task(asyncio.to_thread(intake.take, block))
        if worker is not None:
            await worker
        if length is not None and intake.size != length:
            raise BadRequest(f"The request says {length} bytes and brought {intake.size}.")
        return await asyncio.to_thread(intake.finish, disk_format)
    finally:
        keeper.cancel()
        if worker is not None and not worker.done():  # its thread still has the file
            with contextlib.suppress(Exception):
                await asyncio.shield(worker)


def _complete(call: Call, key: DataKey, received: Received) -> None:
    with call.transaction(write=True) as db:
        image = db.get(Image, key.image_id)
        left = quotas.bytes_left(call.cloud, db, image.owner) if image is not None else None
        if left is not None and received.size > left:
            raise Oversize(left)
        if not lease.complete(db, key, received):
            raise Gone(f"Image {key.image_id} was deleted during the upload.")


async def blocks(request: Request, size: int, idle: int) -> AsyncIterator[bytes]:
    """The body in blocks of at least `size` bytes, the last may be shorter. Raises ClientDisconnect when it is cut off."""
    parts: list[bytes] = []
    have = 0
    stream = request.stream()
    while True:
        try:
            async with asyncio.timeout(idle):
                chunk = await anext(stream, None)
        except TimeoutError:
            raise BadRequest(f"No data came for {idle} seconds.") from None
        if chunk is None:
            break
        parts.append(chunk)
        have += len(chunk)
        if have >= size:
            yield b"".join(parts)
            parts, have = [], 0
    if have:
        yield b"".join(parts)


def _check_store(call: Call) -> None:
    asked, ours = call.request.headers.get("x-image-meta-store"), call.cloud.part(Stores).default.name
    if asked is not None and asked != ours:
        raise BadRequest(f"There is no store {asked} in this cloud; there is {ours}.")


def _length(request: Request) -> int | None:
    text = request.headers.get("content-length")
    if text is None:
        return None
    if not text.isdecimal():
        raise BadRequest(f"Content-Length {text!r} is not a number.")
    return int(text)
