"""The job of a location: read what is at the address once, and make the image active if it is what was said."""

from contextlib import closing

from sqlalchemy import update

from pileus.image.data import lease
from pileus.image.drivers.base import DataKey, StoreFailed
from pileus.image.images.models import IMPORTING, QUEUED, Image
from pileus.image.imports import transfer
from pileus.image.imports.errors import ImportFailed, Stopped
from pileus.image.imports.holding import holding
from pileus.image.imports.job import Job
from pileus.image.imports.sources import StoredIncoming
from pileus.image.imports.watch import Watch
from pileus.image.locations.models import ImageLocation
from pileus.image.stores.registry import Stores
from pileus.image.tasks import actions
from pileus.kernel import clock
from pileus.kernel.cloud import Cloud


def work(cloud: Cloud, watch: Watch, job: Job) -> str:
    url, said = str(job.asked.get("loc_url")), job.asked.get("validation_data")
    expected = said if isinstance(said, dict) else {}
    store = cloud.part(Stores).for_url(url)
    if store is None:
        raise ImportFailed("No store of this cloud reads that address any more.")
    try:
        source = store.open(DataKey(job.image_id, url))
    except FileNotFoundError:
        raise ImportFailed("There is nothing at that address.") from None
    except StoreFailed as error:
        raise ImportFailed(f"The data at that address can not be read: {error}") from None
    with closing(StoredIncoming(source)) as data:
        received = transfer.look_at(cloud, watch, job, data, str(expected.get("os_hash_algo") or "sha512"))
    if expected and str(expected.get("os_hash_value")).lower() != received.digest:
        raise ImportFailed(f"The data at that address has another {received.algorithm} than was said.")
    if expected.get("checksum") and str(expected.get("checksum")).lower() != received.md5:
        raise ImportFailed("The data at that address has another checksum than was said.")
    done = f"Found {received.size} bytes at that address"  # which may have a secret in it, and this is logged
    with holding(cloud, job) as db:
        transfer.fits(cloud, db, job, received.size)
        if not lease.activate(db, job.image_id, received, IMPORTING):
            raise Stopped
        here = update(ImageLocation).where(ImageLocation.image_id == job.image_id, ImageLocation.store == store.name)
        db.execute(here.values(size=received.size))
        actions.succeed(cloud, db, job.task_id, None, done)
    return done


def undo(cloud: Cloud, job: Job, why: str) -> None:
    """The image is queued again; the address stays with it until other data comes, as the API has it."""
    with holding(cloud, job) as db:
        back = update(Image).where(Image.id == job.image_id, Image.status == IMPORTING)
        lease.changes(db, back.values(status=QUEUED, updated_at=clock.now()))
        actions.fail(cloud, db, job.task_id, why)
