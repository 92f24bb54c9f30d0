"""Who writes an image's data, and where: a row for each place, with a lease that its writer renews.

A lease rather than a mark on the process, because any worker on any host may be the writer: whoever finds the lease ended
knows that the writer is dead, and a writer that was only slow finds its row gone and drops its bytes. The row is there before
the data: what a store has and no row names is nobody's.

Uploads also take the image through its states, each change one compare-and-swap: queued → saving → active, queued → uploading.
"""

from collections.abc import Collection, Iterable

import msgspec
from sqlalchemy import ColumnElement, CursorResult, Delete, Update, and_, delete, func, select, update
from sqlalchemy.orm import Session

from pileus.image.data.intake import Received
from pileus.image.drivers.base import DataKey
from pileus.image.images.models import ACTIVE, QUEUED, SAVING, UPLOADING, Image
from pileus.image.locations.models import ImageLocation
from pileus.image.stores.registry import STAGING
from pileus.kernel import clock
from pileus.kernel.db import new_hex_id


class Place(msgspec.Struct, frozen=True):
    """Data in a store."""

    store: str
    data: DataKey


def during(store: str) -> str:
    """The state of an image while it is uploaded there."""
    return UPLOADING if store == STAGING else SAVING


def claim(db: Session, image_id: str, store: str, seconds: float) -> Place | None:
    """Become the one who uploads a queued image; None when it is not queued (any more)."""
    free = update(Image).where(Image.id == image_id, Image.status == QUEUED)
    if not changes(db, free.values(status=during(store), updated_at=clock.now())):
        return None
    drop_pointers(db, image_id)
    return reserve(db, image_id, store, seconds)


def reserve(db: Session, image_id: str, store: str, seconds: float, task_id: str | None = None) -> Place:
    """A place to write to, for an image in any state; by a task, if one is named."""
    place = Place(store, DataKey(image_id, new_hex_id()))
    last = select(func.coalesce(func.max(ImageLocation.position), -1)).where(ImageLocation.image_id == image_id)
    db.add(
        ImageLocation(
            image_id=image_id,
            store=store,
            key=place.data.key,
            position=(db.scalar(last) or 0) + 1,
            until=clock.after(seconds),
            details={"task": task_id} if task_id and store == STAGING else {},
        )
    )
    db.flush()
    return place


def renew(db: Session, places: Iterable[Place], seconds: float) -> bool:
    """False: one is gone, with its image or because somebody gave it up."""
    changed = [
        changes(db, update(ImageLocation).where(_written(place)).values(until=clock.after(seconds))) for place in places
    ]
    return all(changed)


def complete(db: Session, place: Place, size: int) -> bool:
    """The data is durable. False as in `renew`."""
    return changes(db, update(ImageLocation).where(_written(place)).values(until=None, size=size))


def activate(db: Session, image_id: str, received: Received, before: str) -> bool:
    """The image has its data; False when it is not in the state `before` any more."""
    mine = update(Image).where(Image.id == image_id, Image.status == before)
    return changes(db, mine.values(status=ACTIVE, updated_at=clock.now(), **facts(received)))


def facts(received: Received) -> dict[str, object]:
    """The columns of an image that tell of its data."""
    return {
        "size": received.size,
        "virtual_size": received.virtual_size,
        "checksum": received.md5,
        "os_hash_algo": received.algorithm,
        "os_hash_value": received.digest,
    }


def is_staged(db: Session, image_id: str) -> bool:
    """Is there data for an import, all of it?"""
    whole = select(ImageLocation.id).where(ImageLocation.image_id == image_id, ImageLocation.store == STAGING)
    return db.scalars(whole.where(ImageLocation.until.is_(None)).limit(1)).first() is not None


def release(db: Session, place: Place) -> bool:
    """The writing failed: no row names the data. An image that was being uploaded is queued again."""
    if not changes(db, delete(ImageLocation).where(_written(place))):
        return False
    broken = update(Image).where(Image.id == place.data.image_id, Image.status == during(place.store))
    changes(db, broken.values(status=QUEUED, size=None, updated_at=clock.now()))
    return True


def give_up(db: Session, place: Place) -> bool:
    """As `release`. True: no row names the data, so that it can go.

    False: it was completed after all, by a transaction whose end its writer did not hear of.
    """
    release(db, place)
    return place.data not in named(db, place.store, [place.data.image_id])


def abandoned(db: Session) -> list[Place]:
    """Places whose writer stopped renewing."""
    late = select(ImageLocation.store, ImageLocation.image_id, ImageLocation.key)
    rows = db.execute(late.where(ImageLocation.until < clock.now()))
    return [Place(store, DataKey(image_id, key)) for store, image_id, key in rows]


def named(db: Session, store: str, image_ids: Collection[str]) -> set[DataKey]:
    """The data in that store that rows name, of these images."""
    rows = db.execute(
        select(ImageLocation.image_id, ImageLocation.key).where(
            ImageLocation.store == store, ImageLocation.image_id.in_(image_ids)
        )
    )
    return {DataKey(image_id, key) for image_id, key in rows}


def changes(db: Session, statement: Update | Delete) -> bool:
    result = db.execute(statement)
    assert isinstance(result, CursorResult)
    return result.rowcount > 0


def _written(place: Place) -> ColumnElement[bool]:
    return and_(
        ImageLocation.image_id == place.data.image_id,
        ImageLocation.store == place.store,
        ImageLocation.key == place.data.key,
        ImageLocation.until.is_not(None),
    )


def drop_pointers(db: Session, image_id: str) -> None:
    """What a failed attempt to add a location left: a queued image has no data."""
    db.execute(delete(ImageLocation).where(ImageLocation.image_id == image_id))
