"""Questions that must have no answer: what `pileus audit` and the tests ask of images, their tasks and their data."""

import contextlib
import time
from collections.abc import Iterator

from sqlalchemy import and_, exists, not_, or_, select
from sqlalchemy.orm import Session

from pileus.image.cache.copies import FOLDER
from pileus.image.cache.models import CachedImage
from pileus.image.data.lease import named
from pileus.image.drivers.base import DataKey
from pileus.image.drivers.file import FileStore
from pileus.image.images.models import IMPORTING, PENDING_DELETE, READABLE, SAVING, UPLOADING, Image, ImageProperty
from pileus.image.imports.progress import TASK
from pileus.image.locations.models import ImageLocation
from pileus.image.locations.queries import key_of
from pileus.image.stores import registry
from pileus.image.stores.registry import STAGING
from pileus.image.tasks.models import RUNNING, Task
from pileus.kernel import clock
from pileus.kernel.config import Config

LATE = 60.0  # seconds: by then a worker or a sweep has seen what is to be done
LATE_COPIES = 900.0  # the same for a host's copies, which are looked through less often


def stuck(db: Session) -> list[str]:
    """Images on their way that nobody brings there, and work that nobody does."""
    return [*_without_writer(db), *_without_task(db), *_without_data(db), *_abandoned(db), *_idle(db)]


def _without_writer(db: Session) -> Iterator[str]:
    """An upload holds a lease; what waits to be imported is staged."""
    mine = ImageLocation.image_id == Image.id
    written = exists().where(mine, ImageLocation.store != STAGING, ImageLocation.until.is_not(None))
    staged = exists().where(mine, ImageLocation.store == STAGING)
    lost = or_(and_(Image.status == SAVING, not_(written)), and_(Image.status == UPLOADING, not_(staged)))
    for image_id, status in db.execute(select(Image.id, Image.status).where(lost)):
        yield f"image {image_id} is {status} and nobody uploads it"


def _without_task(db: Session) -> Iterator[str]:
    running = exists().where(Task.image_id == Image.id, Task.status.in_(RUNNING))
    for image_id in db.scalars(select(Image.id).where(Image.status == IMPORTING, not_(running))):
        yield f"image {image_id} is importing without a task"
    named_task = exists().where(Task.id == ImageProperty.value, Task.status.in_(RUNNING))
    marks = select(ImageProperty.image_id).where(ImageProperty.name == TASK, not_(named_task))
    for image_id in db.scalars(marks):
        yield f"image {image_id} names a task in {TASK} that does not run"


def _without_data(db: Session) -> Iterator[str]:
    here = exists().where(
        ImageLocation.image_id == Image.id, ImageLocation.store != STAGING, ImageLocation.until.is_(None)
    )
    for image_id, status in db.execute(
        select(Image.id, Image.status).where(Image.status.in_((*READABLE, PENDING_DELETE)), not_(here))
    ):
        yield f"image {image_id} is {status} and has no data"


def _abandoned(db: Session) -> Iterator[str]:
    late = or_(ImageLocation.until < clock.after(-LATE), not_(exists().where(Image.id == ImageLocation.image_id)))
    for image_id, store in db.execute(select(ImageLocation.image_id, ImageLocation.store).where(late)):
        yield f"data of image {image_id} in store {store} has neither a writer nor an image"


def _idle(db: Session) -> Iterator[str]:
    """Tasks whose image is gone end when a worker looks at them."""
    free = or_(Task.lease_until.is_(None), Task.lease_until < clock.now())
    gone = not_(exists().where(Image.id == Task.image_id))
    late = select(Task.id).where(Task.status.in_(RUNNING), gone, free, Task.updated_at < clock.after(-LATE))
    for task_id in db.scalars(late):
        yield f"task {task_id} runs without an image"


def astray(db: Session, config: Config) -> list[str]:
    """Files of this host's stores that no row names, and rows that name a file which is not there."""
    stores = [store for store in registry.load(config).written() if isinstance(store, FileStore)]
    return [
        *(finding for store in stores for finding in _unnamed(db, store)),
        *(finding for store in stores for finding in _missing(db, store)),
        *_uncounted(db, config),
    ]


def _unnamed(db: Session, store: FileStore) -> Iterator[str]:
    """A row is there before its file: so the files are listed first."""
    old = _older(store, LATE)
    known = named(db, store.name, {key.image_id for key in old})
    for key in old:
        if key not in known:
            yield f"store {store.name} has {key.image_id}.{key.key}, which no image names"


def _missing(db: Session, store: FileStore) -> Iterator[str]:
    """Of data that was just deleted, the row was read before that."""
    whole = select(ImageLocation).where(ImageLocation.store == store.name, ImageLocation.until.is_(None))
    lost = [key_of(row) for row in db.scalars(whole) if store.path(key_of(row)) is None]
    still = named(db, store.name, {key.image_id for key in lost})
    for key in lost:
        if key in still:
            yield f"store {store.name} has lost {key.image_id}.{key.key}"


def _uncounted(db: Session, config: Config) -> Iterator[str]:
    store = FileStore("cache", config.state / FOLDER)
    old = _older(store, LATE_COPIES)
    wanted = set(
        db.scalars(select(CachedImage.image_id).where(CachedImage.image_id.in_([key.image_id for key in old])))
    )
    for key in old:
        if key.image_id not in wanted:
            yield f"the copies of this host have {key.image_id}.{key.key}, which nobody asked for"


def _older(store: FileStore, seconds: float) -> list[DataKey]:
    """Data that was last written so long ago."""
    before = time.time() - seconds

    def old(key: DataKey) -> bool:
        path = store.path(key)
        with contextlib.suppress(FileNotFoundError):  # it went just now
            return path is not None and path.stat().st_mtime < before
        return False

    return [key for key in list(store.keys()) if old(key)]
