"""The states that data takes an image through: queued → saving → active. Each change is one compare-and-swap.

While `saving`, the row holds a lease that the writer renews. A lease rather than a mark on the process, because any worker
on any host may be the writer: whoever finds the lease ended knows that the writer is dead, and a writer that was only slow
finds its key gone and drops its bytes.
"""

from sqlalchemy import CursorResult, Update, select, update
from sqlalchemy.orm import Session

from pileus.image.data.intake import Received
from pileus.image.drivers.base import DataKey
from pileus.image.images.models import ACTIVE, QUEUED, SAVING, Image
from pileus.kernel import clock
from pileus.kernel.db import new_hex_id


def claim(db: Session, image_id: str, seconds: float) -> DataKey | None:
    """Become the writer of a queued image; None when it is not queued (any more)."""
    key = DataKey(image_id, new_hex_id())
    values = {"status": SAVING, "data_key": key.key, "upload_until": clock.after(seconds), "updated_at": clock.now()}
    free = update(Image).where(Image.id == image_id, Image.status == QUEUED)
    return key if _changes(db, free.values(values)) else None


def renew(db: Session, key: DataKey, seconds: float) -> bool:
    """False: the image is gone, or somebody gave this upload up."""
    return _change(db, key, {"upload_until": clock.after(seconds)})


def complete(db: Session, key: DataKey, received: Received) -> bool:
    """The data is durable: the image becomes active. False as in `renew`."""
    values: dict[str, object] = {
        "status": ACTIVE,
        "upload_until": None,
        "updated_at": clock.now(),
        "size": received.size,
        "virtual_size": received.virtual_size,
        "checksum": received.md5,
        "os_hash_algo": "sha512",
        "os_hash_value": received.sha512,
    }
    return _change(db, key, values)


def release(db: Session, key: DataKey) -> bool:
    """The upload failed: the image is queued again, without data."""
    return _change(
        db, key, {"status": QUEUED, "data_key": None, "upload_until": None, "updated_at": clock.now(), "size": None}
    )


def abandoned(db: Session) -> list[DataKey]:
    """Uploads whose writer stopped renewing."""
    late = select(Image.id, Image.data_key).where(Image.status == SAVING, Image.upload_until < clock.now())
    return [DataKey(image_id, key) for image_id, key in db.execute(late) if key]


def named(db: Session, image_ids: set[str]) -> set[DataKey]:
    """The data that rows name, of these images."""
    rows = db.execute(select(Image.id, Image.data_key).where(Image.id.in_(image_ids), Image.data_key.is_not(None)))
    return {DataKey(image_id, key) for image_id, key in rows if key}


def _change(db: Session, key: DataKey, values: dict[str, object]) -> bool:
    mine = update(Image).where(Image.id == key.image_id, Image.status == SAVING, Image.data_key == key.key)
    return _changes(db, mine.values(values))


def _changes(db: Session, statement: Update) -> bool:
    result = db.execute(statement)
    assert isinstance(result, CursorResult)
    return result.rowcount > 0
