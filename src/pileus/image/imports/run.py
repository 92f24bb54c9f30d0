"""The worker of tasks: one call does all of one task's work, from the start, however often an earlier one was killed in the middle."""

import contextlib
import logging
from collections.abc import Callable

from pileus.image.drivers.base import StoreFailed, StoreFull
from pileus.image.images.models import Image
from pileus.image.imports import copying, importing, pointing
from pileus.image.imports.errors import ImportFailed, Stopped
from pileus.image.imports.holding import holding
from pileus.image.imports.job import Job
from pileus.image.imports.watch import Watch
from pileus.image.tasks import actions
from pileus.image.tasks.models import API_IMAGE_IMPORT, COPY_IMAGE, IMPORT, LOCATION_IMPORT, Task
from pileus.kernel.cloud import Cloud
from pileus.kernel.reconcile import Again, Done, Outcome, Reconciler, backoff

MOST_STARTS = 5  # of one task: a store may be away for a while, but what kills its worker each time must end
GONE = "The image was deleted."
Work = Callable[[Cloud, Watch, Job], str]
"""Does a job and writes what came of it, the end of the task included; returns what to say of it."""
Undo = Callable[[Cloud, Job, str], None]
"""The job has failed: the image is as before, and the task says why."""
log = logging.getLogger(__name__)
JOBS: dict[str, tuple[Work, Undo]] = {
    API_IMAGE_IMPORT: (importing.work, importing.undo),
    IMPORT: (importing.work, importing.undo_new),
    COPY_IMAGE: (copying.work, copying.undo),
    LOCATION_IMPORT: (pointing.work, pointing.undo),
}


def reconciler(cloud: Cloud, parallel: int) -> Reconciler:
    return Reconciler(
        name=actions.RECONCILER,
        model=Task,
        step=lambda task_id: step(cloud, task_id),
        db=cloud.db,
        lease_seconds=30,
        parallel=parallel,
    )


def step(cloud: Cloud, task_id: str) -> Outcome:
    with cloud.db.writing() as db:
        task = actions.begin(db, task_id)
        if task is None:
            return Done()
        job = Job.of(cloud, db, task)
        if job is None:
            actions.fail(cloud, db, task_id, GONE)
            return Done()
    try:
        return _attempt(cloud, job)
    except Stopped:
        return _stopped(cloud, job)


def _attempt(cloud: Cloud, job: Job) -> Outcome:
    """Raises Stopped."""
    work, undo = JOBS[job.kind]
    try:
        if job.start > MOST_STARTS:
            raise ImportFailed("It was tried several times, and ended without a word each time.")
        with Watch(cloud, job.task_id, job.image_id) as watch:
            said = work(cloud, watch, job)
        log.info("task %s: %s", job.task_id, said)
    except Stopped:
        raise
    except ImportFailed as error:
        log.info("task %s failed: %s", job.task_id, error)
        undo(cloud, job, str(error))
    except StoreFull as error:
        log.error("task %s: a store is full: %s", job.task_id, error)
        undo(cloud, job, "There is no room for the image's data in this cloud's image store.")
    except Exception as error:
        log.warning("task %s, start %d", job.task_id, job.start, exc_info=error)
        if job.start < MOST_STARTS:
            return Again(seconds=backoff(job.start))
        away = isinstance(error, StoreFailed)
        undo(cloud, job, "The image store does not take data." if away else "This cloud failed; its log says why.")
    return Done()


def _stopped(cloud: Cloud, job: Job) -> Outcome:
    """The task ends with its image. While that is there, another worker has the task, or data that were given up are brought again."""
    with contextlib.suppress(Stopped), holding(cloud, job) as db:
        if db.get(Image, job.image_id) is not None:
            return Again(seconds=backoff(job.start))
        actions.fail(cloud, db, job.task_id, GONE)
    return Done()
