"""The job of copying an active image's data to more stores."""

from contextlib import closing

from pileus.image.data import lease
from pileus.image.images.models import Image
from pileus.image.imports import progress, transfer
from pileus.image.imports.errors import ImportFailed, Stopped
from pileus.image.imports.holding import holding
from pileus.image.imports.job import Job
from pileus.image.imports.receive import incoming
from pileus.image.imports.watch import Watch
from pileus.image.locations.queries import whole
from pileus.image.stores.registry import Stores
from pileus.image.tasks import actions
from pileus.kernel.cloud import Cloud


def work(cloud: Cloud, watch: Watch, job: Job) -> str:
    names = _missing(cloud, job)
    job.signed = False  # it was checked when it came
    if not names:
        said = "All of the stores have the data already"
        with holding(cloud, job) as db:
            progress.end(_image(db.get(Image, job.image_id)), ())
            actions.succeed(cloud, db, job.task_id, None, said)
        return said
    with closing(incoming(cloud, job)) as data:
        stored = transfer.store(cloud, watch, job, data, names)
    said = f"Copied {stored.received.size} bytes to {', '.join(place.store for place in stored.places)}"
    with holding(cloud, job) as db:
        image = _image(db.get(Image, job.image_id, with_for_update=True))
        if image.os_hash_algo == stored.received.algorithm and image.os_hash_value != stored.received.digest:
            raise ImportFailed("The data that was read is not what the image's hash says: nothing was copied.")
        transfer.fits(cloud, db, job, stored.received.size * len(stored.places))
        if not all(lease.complete(db, place, stored.received.size) for place in stored.places):
            raise Stopped
        progress.end(image, stored.failed)
        actions.succeed(cloud, db, job.task_id, None, said)
    for place in stored.places:
        watch.let_go(place)
    return said


def undo(cloud: Cloud, job: Job, why: str) -> None:
    """Places that were reserved lose their lease with this process, and then the data in them."""
    missing = _missing(cloud, job)
    with holding(cloud, job) as db:
        image = db.get(Image, job.image_id)
        if image is not None:
            progress.end(image, missing)
        actions.fail(cloud, db, job.task_id, why)


def _missing(cloud: Cloud, job: Job) -> list[str]:
    """Stores that are to have it and do not: an earlier attempt may have done its part."""
    with cloud.db.reading() as db:
        there = {row.store for row in whole(_image(db.get(Image, job.image_id)), cloud.part(Stores))}
    return [name for name in job.stores if name not in there]


def _image(image: Image | None) -> Image:
    if image is None:
        raise Stopped
    return image
