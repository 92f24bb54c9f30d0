"""What writers that never ended leave behind, cleared away: by the reconcile role at its start and then regularly."""

import logging
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from pileus.image.data import lease
from pileus.image.drivers.base import Store, StoreFailed
from pileus.image.drivers.file import FileStore
from pileus.image.images.models import PENDING_DELETE, Image
from pileus.image.stores.registry import Stores
from pileus.kernel import clock
from pileus.kernel.cloud import Cloud

AT_ONCE = 500
log = logging.getLogger(__name__)


def sweep(cloud: Cloud) -> None:
    """Queue images whose writer died, forget deleted images whose time has come, and remove from this host what no row names."""
    with cloud.db.writing() as db:
        for place in lease.abandoned(db):
            if lease.release(db, place):
                log.warning("image %s: its data was given up, for the writer ended without a word", place.data.image_id)
        for image in scrubbed(db, clock.now()):
            db.delete(image)
    for store in cloud.part(Stores).written():
        if isinstance(store, FileStore):
            _clear(cloud, store)


def sweep_away(cloud: Cloud) -> None:
    """The same in stores elsewhere, where looking costs more."""
    for store in cloud.part(Stores).written():
        if not isinstance(store, FileStore):
            try:
                _clear(cloud, store)
            except StoreFailed as error:
                log.warning("store %s was not looked through: %s", store.name, error)


def scrubbed(db: Session, now: datetime) -> list[Image]:
    """Deleted images whose data nobody can ask back any more."""
    late = select(Image).where(Image.status == PENDING_DELETE, Image.scrub_at <= now).limit(AT_ONCE)
    return list(db.scalars(late))


def _clear(cloud: Cloud, store: Store) -> None:
    """Safe beside running writers: a row names the data before it is made, so what is listed first and not named afterwards
    never will be.
    """
    stored = list(store.keys())
    for start in range(0, len(stored), AT_ONCE):
        some = stored[start : start + AT_ONCE]
        with cloud.db.reading() as db:
            named = lease.named(db, store.name, {key.image_id for key in some})
        for key in some:
            if key not in named:
                store.delete(key)
