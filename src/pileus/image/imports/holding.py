"""A task is of one worker at a time: the one that started it last."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import select
from sqlalchemy.orm import Session

from pileus.image.images.models import Image
from pileus.image.imports.errors import Stopped
from pileus.image.imports.job import Job
from pileus.image.tasks.models import PROCESSING, Task
from pileus.kernel.cloud import Cloud


@contextmanager
def holding(cloud: Cloud, job: Job) -> Iterator[Session]:
    """A transaction of the job, in which nobody takes its task over.

    Raises Stopped when somebody has: a worker that stood still for longer than its lease changes nothing any more.
    """
    with cloud.db.writing() as db:
        task = db.get(Task, job.task_id, with_for_update=True)
        if task is None or task.status != PROCESSING or task.attempts != job.start:
            raise Stopped
        # As requests do it: first the image, then its data.
        db.scalar(select(Image.id).where(Image.id == job.image_id).with_for_update())
        yield db
