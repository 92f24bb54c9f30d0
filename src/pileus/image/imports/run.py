"""The worker of tasks: one call does all of one task's work, from the start, however often an earlier one was killed in the middle."""

import logging
from collections.abc import Callable

from pileus.image.drivers.base import StoreFailed, StoreFull
from pileus.image.imports import copying, importing, pointing
from pileus.image.imports.errors import ImportFailed, Stopped
from pileus.image.imports.job import Job
from pileus.image.imports.watch import Watch
from pileus.image.tasks import actions
from pileus.image.tasks.models import API_IMAGE_IMPORT, COPY_IMAGE, IMPORT, LOCATION_IMPORT, Task
from pileus.kernel.cloud import Cloud
from pileus.kernel.reconcile import Again, Done, Outcome, Reconciler, backoff

MOST_STARTS = 5  # of one task: a store may be away for a while, but what kills its worker each time must end
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
        starts = task.attempts
        job = Job.of(cloud, db, task)
        if job is None:
            actions.fail(cloud, db, task_id, "The image was deleted.")
            return Done()
    work, undo = JOBS[job.kind]
    try:
        if starts > MOST_STARTS:
            raise ImportFailed("It was tried several times, and ended without a word each time.")
        with Watch(cloud, task_id, job.image_id) as watch:
            said = work(cloud, watch, job)
    except Stopped:
        with cloud.db.writing() as db:
            actions.fail(cloud, db, task_id, "The image was deleted.")
        return Done()
    except ImportFailed as error:
        log.info("task %s failed: %s", task_id, error)
        undo(cloud, job, str(error))
        return Done()
    except StoreFull as error:
        log.error("task %s: a store is full: %s", task_id, error)
        undo(cloud, job, "There is no room for the image's data in this cloud's image store.")
        return Done()
    except Exception as error:
        log.warning("task %s, start %d", task_id, starts, exc_info=error)
        if starts < MOST_STARTS:
            return Again(seconds=backoff(starts))
        away = isinstance(error, StoreFailed)
        undo(cloud, job, "The image store does not take data." if away else "This cloud failed; its log says why.")
        return Done()
    log.info("task %s: %s", task_id, said)
    return Done()
