"""Making tasks and ending them."""

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from pileus.image.settings import ImageSettings
from pileus.image.tasks.models import FAILURE, PROCESSING, RUNNING, SUCCESS, Task
from pileus.kernel import clock
from pileus.kernel.bus.base import CONTROL
from pileus.kernel.cloud import Cloud
from pileus.kernel.db import new_id
from pileus.kernel.http.call import Call

RECONCILER = "image-tasks"
AT_ONCE = 500


def start(call: Call, kind: str, asked: dict[str, object], *, image_id: str | None, sealed: str | None = None) -> Task:
    """The row now, the work after the commit."""
    task = Task(
        id=new_id(),
        type=kind,
        owner=call.context.project_id,
        image_id=image_id,
        user_id=call.context.user_id,
        request_id=call.context.request_id,
        input=asked,
        sealed=sealed,
    )
    call.db.add(task)
    call.poke(CONTROL, "due", reconciler=RECONCILER, id=task.id)
    return task


def begin(db: Session, task_id: str) -> Task | None:
    """The task, if there is still something to do. `attempts` counts the starts, also of workers that died."""
    task = db.get(Task, task_id, with_for_update=True)
    if task is None or task.status not in RUNNING:
        return None
    task.status, task.updated_at = PROCESSING, clock.now()
    task.attempts += 1
    return task


def tell(db: Session, task_id: str, message: str) -> None:
    """How far it is."""
    mine = update(Task).where(Task.id == task_id, Task.status == PROCESSING)
    db.execute(mine.values(message=message, updated_at=clock.now()))


def succeed(cloud: Cloud, db: Session, task_id: str, result: dict[str, object] | None, message: str) -> None:
    _end(cloud, db, task_id, SUCCESS, message, result)


def fail(cloud: Cloud, db: Session, task_id: str, message: str) -> None:
    """`message` is for the user who asked."""
    _end(cloud, db, task_id, FAILURE, message, None)


def _end(cloud: Cloud, db: Session, task_id: str, status: str, message: str, result: dict[str, object] | None) -> None:
    task = db.get(Task, task_id)
    if task is None:
        return
    task.status, task.message, task.result, task.sealed = status, message, result, None
    task.updated_at = clock.now()
    task.expires_at = clock.after(cloud.settings(ImageSettings).task_lifetime)
    task.observed_generation = task.generation


def forget(cloud: Cloud) -> None:
    """Tasks that ended long ago."""
    with cloud.db.writing() as db:
        old = select(Task.id).where(Task.expires_at < clock.now(), Task.status.not_in(RUNNING)).limit(AT_ONCE)
        ids = list(db.scalars(old))
        if ids:
            db.execute(delete(Task).where(Task.id.in_(ids)))
