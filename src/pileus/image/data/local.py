"""An image from a file of this host: the same path as an upload's, without HTTP."""

import time
from collections.abc import Mapping
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from pileus.image.data import lease
from pileus.image.data.intake import Intake, Received
from pileus.image.data.lease import Place
from pileus.image.drivers.base import Sink
from pileus.image.images.models import QUEUED, READABLE, SAVING, Image, ImageProperty
from pileus.image.settings import ImageSettings
from pileus.image.stores.registry import Stores
from pileus.kernel.cloud import Cloud
from pileus.kernel.errors import Conflict


def import_file(cloud: Cloud, path: Path, given: Image, properties: Mapping[str, str]) -> str:
    """`pileus.image.internal.import_file`; `given` is a row that no session holds yet."""
    seconds, store = cloud.settings(ImageSettings).upload_lease, cloud.part(Stores).default
    with cloud.db.writing() as db:
        found = _namesake(db, given)
        if found is not None and found.status in READABLE:
            return found.id
        if found is None:
            given.extra = {key: ImageProperty(name=key, value=value) for key, value in properties.items()}
            db.add(given)
            found = given
        else:  # its writer died: the seed runs once at a time
            found.status = QUEUED
        db.flush()
        place = lease.claim(db, found.id, store.name, seconds)
    if place is None:
        raise Conflict(f"Image {given.name} is being uploaded.")
    sink = store.create(place.data)
    try:
        received = _copy(cloud, path, place, sink, given.disk_format or "raw")
        with cloud.db.writing() as db:
            if not (lease.complete(db, place, received.size) and lease.activate(db, found.id, received, SAVING)):
                raise Conflict(f"Image {given.name} was deleted or given up while it was stored.")
    except BaseException:
        with cloud.db.writing() as db:
            dropped = lease.give_up(db, place)
            made = db.get(Image, found.id)
            if dropped and made is not None and made.status == QUEUED:
                db.delete(made)
        if dropped:
            sink.abort()
        raise
    return found.id


def _copy(cloud: Cloud, path: Path, place: Place, sink: Sink, disk_format: str) -> Received:
    settings = cloud.settings(ImageSettings)
    intake = Intake(sink, settings.max_size or None, disk_format)
    renewed = time.monotonic()
    with path.open("rb", buffering=0) as file:
        while block := file.read(settings.block_size):
            intake.take(block)
            if time.monotonic() - renewed > settings.upload_lease / 3:
                renewed = time.monotonic()
                with cloud.db.writing() as db:
                    lease.renew(db, [place], settings.upload_lease)
    return intake.finish()


def _namesake(db: Session, given: Image) -> Image | None:
    same = select(Image).where(Image.name == given.name, Image.owner == given.owner)
    return db.scalars(same.order_by(Image.status, Image.created_at).limit(1)).first()
