"""The job of an import: get the data, let plugins change it, store it, make the image active."""

from contextlib import ExitStack, closing
from pathlib import Path

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from pileus.image.data import lease
from pileus.image.data.removal import remove
from pileus.image.images.models import IMPORTING, QUEUED, Image, ImageProperty
from pileus.image.imports import progress, transfer
from pileus.image.imports.errors import ImportFailed, Stopped
from pileus.image.imports.holding import holding
from pileus.image.imports.job import Job
from pileus.image.imports.receive import incoming
from pileus.image.imports.sources import FileIncoming, Incoming
from pileus.image.imports.transfer import Stored
from pileus.image.imports.watch import Watch
from pileus.image.locations.models import ImageLocation
from pileus.image.plugins import conversion
from pileus.image.plugins.metadata import injected
from pileus.image.settings import ImageSettings
from pileus.image.signatures import properties as signature
from pileus.image.stores.registry import STAGING, Stores
from pileus.image.tasks import actions
from pileus.image.tasks.models import IMPORT
from pileus.kernel import clock
from pileus.kernel.cloud import Cloud


def work(cloud: Cloud, watch: Watch, job: Job) -> str:
    _clear_staging(cloud, job, everything=False)
    with ExitStack() as stack:
        data = stack.enter_context(closing(incoming(cloud, job)))
        settings = cloud.settings(ImageSettings)
        if conversion.unpacks(settings, job.container_format) or conversion.converts(
            settings, job.disk_format, job.container_format
        ):
            data = stack.enter_context(closing(_changed(cloud, watch, job, data)))
        stored = transfer.store(cloud, watch, job, data, job.stores)
    said = f"Imported {stored.received.size} bytes into {', '.join(place.store for place in stored.places)}"
    with holding(cloud, job) as db:
        staged = _settle(cloud, db, job, stored, said)
    for place in stored.places:
        watch.let_go(place)
    remove(cloud, staged)
    return said


def undo(cloud: Cloud, job: Job, why: str) -> None:
    """The image is queued again; what was staged for it is gone."""
    _clear_staging(cloud, job, everything=True)
    with holding(cloud, job) as db:
        back = update(Image).where(Image.id == job.image_id, Image.status == IMPORTING)
        if lease.changes(db, back.values(status=QUEUED, size=None, updated_at=clock.now())):
            image = db.get_one(Image, job.image_id)
            progress.end(image, job.stores)
        actions.fail(cloud, db, job.task_id, why)


def undo_new(cloud: Cloud, job: Job, why: str) -> None:
    """An image that the task itself made is not kept."""
    with holding(cloud, job) as db:
        image = db.get(Image, job.image_id)
        if image is not None and image.status == IMPORTING:
            db.delete(image)
        actions.fail(cloud, db, job.task_id, why)


def _changed(cloud: Cloud, watch: Watch, job: Job, data: Incoming) -> Incoming:
    """What the plugins make of the data. The job has the new formats then."""
    settings = cloud.settings(ImageSettings)
    path, received, _place = transfer.land(cloud, watch, job, data)
    virtual_size = received.virtual_size
    job.signed = False
    if conversion.unpacks(settings, job.container_format):
        target = _target(cloud, watch)
        watch.say("Taking the disk out of its container")
        virtual_size = conversion.take_out(
            settings, path, job.container_format, job.disk_format, target, lambda _done: watch.check()
        )
        path, job.container_format = target, "bare"
    if conversion.converts(settings, job.disk_format, job.container_format):
        target = _target(cloud, watch)
        what = f"Converting from {job.disk_format} to {settings.convert_to}"
        conversion.convert(
            settings,
            path,
            job.disk_format,
            virtual_size,
            target,
            lambda done: watch.say(f"{what} ({done:.0f}%)"),
            lambda: watch.lost,
        )
        path, job.disk_format = target, settings.convert_to
        watch.check()
    return FileIncoming(path)


def _target(cloud: Cloud, watch: Watch) -> Path:
    """A new staged file: there, so that nobody else's could be; its name is the row's."""
    place = watch.reserve(STAGING)
    sink = cloud.part(Stores).staging.create(place.data)
    sink.commit()
    path = transfer.staged_path(cloud, place)
    path.unlink()
    return path


def _settle(cloud: Cloud, db: Session, job: Job, stored: Stored, said: str) -> list[ImageLocation]:
    """All that came of it in one transaction. Returns the staged data, which nobody needs any more."""
    transfer.fits(cloud, db, job, stored.received.size * len(stored.places))
    for place in stored.places:
        if not lease.complete(db, place, stored.received.size):
            raise Stopped
    if not lease.activate(db, job.image_id, stored.received, IMPORTING):
        raise Stopped
    image = db.get_one(Image, job.image_id, populate_existing=True)
    if any(image.properties.get(name) != job.properties.get(name) for name in signature.NAMES):
        raise ImportFailed("The image's signature was changed while its data came: nobody has checked the new one.")
    image.disk_format, image.container_format = job.disk_format, job.container_format
    if not job.signed:  # it is of data that a plugin has replaced
        for name in signature.NAMES:
            image.extra.pop(name, None)
    _inject(cloud, job, image)
    progress.end(image, stored.failed)
    staged = _forget_staged(db, job)
    result: dict[str, object] | None = {"image_id": job.image_id} if job.kind == IMPORT else None
    actions.succeed(cloud, db, job.task_id, result, said)
    return staged


def _inject(cloud: Cloud, job: Job, image: Image) -> None:
    had = dict(image.properties)
    settings = cloud.settings(ImageSettings).inject
    for name, value in injected(settings, job.roles, {**had, **job.adopted}).items():
        if name in image.extra:
            image.extra[name].value = value
        else:
            image.extra[name] = ImageProperty(name=name, value=value)


def _forget_staged(db: Session, job: Job) -> list[ImageLocation]:
    mine = (ImageLocation.image_id == job.image_id, ImageLocation.store == STAGING)
    rows = list(db.scalars(select(ImageLocation).where(*mine)))
    for row in rows:
        db.expunge(row)
    db.execute(delete(ImageLocation).where(*mine))
    return rows


def _clear_staging(cloud: Cloud, job: Job, *, everything: bool) -> None:
    """What earlier attempts staged; `everything`: what the user staged too."""
    with holding(cloud, job) as db:
        rows = db.scalars(
            select(ImageLocation).where(ImageLocation.image_id == job.image_id, ImageLocation.store == STAGING)
        )
        doomed = [row for row in rows if everything or row.details or row.until is not None]
        for row in doomed:
            db.delete(row)
    remove(cloud, doomed)
