"""Receiving an image's data: claim → stream into a store → check → active, or → uploading when it is only staged for an import.

Whatever fails leaves the image queued, without data. Blocks are hashed and written in a thread while the next one is received:
at most three are in memory, and the event loop only moves bytes. Every part of the database work is one short transaction of
its own.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from typing import NamedTuple, Protocol

from sqlalchemy.orm import Session
from starlette.requests import Request

from pileus.image.data import lease
from pileus.image.data.intake import Intake, Oversize, Witness
from pileus.image.data.lease import Place
from pileus.image.drivers.base import Sink, Store, StoreFailed, StoreFull
from pileus.image.formats import FormatRefused
from pileus.image.images.models import QUEUED, SAVING, Image
from pileus.image.images.queries import see
from pileus.image.settings import ImageSettings
from pileus.image.signatures.properties import SignatureRefused
from pileus.image.signatures.signers import Signers
from pileus.image.signatures.verifier import verifier
from pileus.image.stores.registry import Stores
from pileus.image.usage import quotas
from pileus.kernel.errors import BadRequest, Conflict, Gone, TooLarge, Unavailable, UnsupportedMediaType
from pileus.kernel.http.call import Call, Reply

log = logging.getLogger(__name__)


class Taker(Protocol):
    """What becomes of the blocks."""

    size: int

    def take(self, block: bytes) -> None: ...


class Begun(NamedTuple):
    """An upload that was let in; `most` bytes may come, None: any."""

    place: Place
    disk_format: str
    container_format: str
    most: int | None
    witness: Witness | None

    def intake(self, call: Call, sink: Sink) -> Intake:
        inside = call.cloud.settings(ImageSettings).max_converted
        return Intake(
            sink,
            self.most,
            self.disk_format,
            container_format=self.container_format,
            witness=self.witness,
            inside=inside,
        )


class Staging:
    """Takes data that is looked at when it is imported."""

    def __init__(self, sink: Sink, most: int | None) -> None:
        self.size = 0
        self._sink = sink
        self._most = most

    def take(self, block: bytes) -> None:
        self.size += len(block)
        if self._most is not None and self.size > self._most:
            raise Oversize(self._most)
        self._sink.write(block)


async def upload(call: Call, image_id: str) -> Reply:
    """PUT …/file. Its errors: 400, 403, 404, 409, 410, 413, 415, 503."""
    length = _checked(call.request)
    store = _asked_store(call)
    begun = await asyncio.to_thread(_begin, call, image_id, store, length)
    async with writing(call, begun.place, store) as (sink, kept):
        intake = begun.intake(call, sink)
        await _receive(call, kept, intake, length)
        received = await asyncio.to_thread(intake.finish)

        def complete(db: Session) -> bool:
            _fits(call, db, image_id, "image_size_total", received.size)
            return lease.complete(db, begun.place, received.size) and lease.activate(db, image_id, received, SAVING)

        await asyncio.to_thread(_settle, call, image_id, complete)
        kept.done = True
    return Reply(status=204)


async def stage(call: Call, image_id: str) -> Reply:
    """PUT …/stage. Errors as for an upload; the format is checked by the import."""
    length = _checked(call.request)
    store = call.cloud.part(Stores).staging
    begun = await asyncio.to_thread(_begin, call, image_id, store, length)
    async with writing(call, begun.place, store) as (sink, kept):
        staging = Staging(sink, begun.most)
        await _receive(call, kept, staging, length)
        await asyncio.to_thread(sink.commit)

        def complete(db: Session) -> bool:
            _fits(call, db, image_id, "image_stage_total", staging.size)
            image = db.get(Image, image_id)
            if image is not None:
                image.size = staging.size
            return lease.complete(db, begun.place, staging.size)

        await asyncio.to_thread(_settle, call, image_id, complete)
        kept.done = True
    return Reply(status=204)


class Kept:
    """The place of an upload under way: its lease is renewed, for a client may be slow while this process is alive."""

    def __init__(self, call: Call, place: Place) -> None:
        self.cloud = call.cloud
        self.place = place
        self.sink: Sink | None = None
        self.lost = False
        self.done = False

    def give_up(self) -> None:
        """The row first: the last transaction may have been committed, and this process did not hear of it."""
        with self.cloud.db.writing() as db:
            dropped = lease.give_up(db, self.place)
        if dropped and self.sink is not None:
            self.sink.abort()

    async def renew(self) -> None:
        """Until cancelled."""
        seconds = self.cloud.settings(ImageSettings).upload_lease
        while not self.lost:
            await asyncio.sleep(seconds / 3)
            try:
                self.lost = not await asyncio.to_thread(self._renew, seconds)
            except Exception:
                log.exception("the lease of the upload of image %s was not renewed", self.place.data.image_id)

    def _renew(self, seconds: int) -> bool:
        with self.cloud.db.writing() as db:
            return lease.renew(db, [self.place], seconds)


@contextlib.asynccontextmanager
async def writing(call: Call, place: Place, store: Store) -> AsyncIterator[tuple[Sink, Kept]]:
    """A sink at the place; unless `done` was said, nothing is left of it. The inner errors become the API's."""
    kept = Kept(call, place)
    keeper = asyncio.create_task(kept.renew())
    try:
        kept.sink = await asyncio.to_thread(store.create, place.data)
        yield kept.sink, kept
    except SignatureRefused as error:
        raise BadRequest(str(error)) from None
    except FormatRefused as error:
        raise UnsupportedMediaType(str(error)) from None
    except Oversize as error:
        raise TooLarge(str(error)) from None
    except StoreFull as error:
        log.error("store %s is full: %s", place.store, error)
        raise TooLarge("There is no room for the image's data in this cloud's image store.") from None
    except StoreFailed as error:
        log.error("store %s failed: %s", place.store, error)
        raise Unavailable("The image store does not take data now; try again later.") from None
    finally:
        keeper.cancel()
        if not kept.done:
            await asyncio.shield(asyncio.to_thread(kept.give_up))


def _begin(call: Call, image_id: str, store: Store, length: int | None) -> Begun:
    """Check everything that can be checked before the first byte, and take the lease."""
    settings, stores = call.cloud.settings(ImageSettings), call.cloud.part(Stores)
    staged = store is stores.staging

    def begin(db: Session) -> Begun:
        seen = see(db, call.context, image_id, lock=True)
        call.enforce("modify_image" if staged else "upload_image", seen.policy_target())
        image = seen.image
        if image.status != QUEUED:
            raise Conflict(f"Image {image_id} is {image.status}: data can come only while it is queued.")
        if image.disk_format is None or image.container_format is None:
            raise BadRequest("Properties disk_format, container_format must be set prior to saving data.")
        try:
            witness = verifier(image.properties, call.cloud.part(Signers).certificates)
        except SignatureRefused as error:
            raise BadRequest(str(error)) from None
        quotas.check(call.cloud, db, image.owner, {"image_count_uploading": 1})
        resource = "image_stage_total" if staged else "image_size_total"
        bounds = [settings.max_size or None, quotas.bytes_left(call.cloud, db, image.owner, resource)]
        most = min((bound for bound in bounds if bound is not None), default=None)
        if most is not None and (length or 0) > most:
            raise TooLarge(str(Oversize(most)))
        place = lease.claim(db, image_id, store.name, settings.upload_lease)
        if place is None:
            raise Conflict(f"Image {image_id} is being uploaded already.")
        return Begun(place, image.disk_format, image.container_format, most, None if staged else witness)

    return call.cloud.db.transact(begin)


async def _receive(call: Call, kept: Kept, taker: Taker, length: int | None) -> None:
    settings = call.cloud.settings(ImageSettings)
    worker: asyncio.Task[None] | None = None
    try:
        async for block in blocks(call.request, settings.block_size, settings.upload_idle):
            if worker is not None:
                await worker
            if kept.lost:
                raise _gone(kept.place.data.image_id)
            worker = asyncio.create_task(asyncio.to_thread(taker.take, block))
        if worker is not None:
            await worker
    finally:
        if worker is not None and not worker.done():  # its thread still has the file
            with contextlib.suppress(Exception):
                await asyncio.shield(worker)
    if length is not None and taker.size != length:
        raise BadRequest(f"The request says {length} bytes and brought {taker.size}.")


class _Settle(Protocol):
    def __call__(self, db: Session) -> bool: ...


def _settle(call: Call, image_id: str, complete: _Settle) -> None:
    def settle(db: Session) -> None:
        if not complete(db):
            raise _gone(image_id)

    call.cloud.db.transact(settle)


def _fits(call: Call, db: Session, image_id: str, resource: str, size: int) -> None:
    """Two uploads that began together may be too much together."""
    image = db.get(Image, image_id)
    left = quotas.bytes_left(call.cloud, db, image.owner, resource, holding=True) if image is not None else None
    if left is not None and size > left:
        raise Oversize(left)


def _gone(image_id: str) -> Gone:
    return Gone(f"Image {image_id} was deleted during the upload.")


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


def _asked_store(call: Call) -> Store:
    stores, asked = call.cloud.part(Stores), call.request.headers.get("x-image-meta-store")
    if asked is None:
        return stores.default
    store = stores.named.get(asked)
    if store is None or store.read_only:
        known = ", ".join(store.name for store in stores.writable())
        raise BadRequest(f"There is no store {asked} that takes data in this cloud; there is {known}.")
    return store


def _checked(request: Request) -> int | None:
    """The length that is announced, of data that is announced as data."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/octet-stream":
        raise UnsupportedMediaType(f"Content-Type {kind or 'none'} is not supported; send application/octet-stream.")
    text = request.headers.get("content-length")
    if text is None:
        return None
    if not text.isdecimal():
        raise BadRequest(f"Content-Length {text!r} is not a number.")
    return int(text)
