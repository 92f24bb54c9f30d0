"""Reading tasks."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from pileus.image.images.models import Image
from pileus.image.tasks.models import RUNNING, Task
from pileus.kernel.context import Context
from pileus.kernel.errors import NotFound
from pileus.kernel.http.call import Call
from pileus.kernel.http.listing import Listing, exact

TASKS = Listing(
    model=Task,
    key=Task.id,
    filters={"type": exact(Task.type), "status": exact(Task.status)},
    sort={
        "id": Task.id,
        "type": Task.type,
        "status": Task.status,
        "created_at": Task.created_at,
        "updated_at": Task.updated_at,
    },
    direction="desc",
)


def load(call: Call, task_id: str) -> Task:
    task = call.db.get(Task, task_id)
    if task is None or not _may_see(call.context, task):
        raise NotFound(f"No task found with ID {task_id}")
    return task


def _may_see(context: Context, task: Task) -> bool:
    return context.is_admin or (task.owner is not None and task.owner == context.project_id)


def of_image(db: Session, image: Image) -> list[Task]:
    """Not those of an image that had the same id before: it may have been somebody else's."""
    own = select(Task).where(Task.image_id == image.id, Task.created_at >= image.created_at)
    return list(db.scalars(own.order_by(Task.created_at.desc(), Task.id)))


def running(db: Session, image_id: str) -> Task | None:
    """The task that works on the image now, or will."""
    return db.scalars(select(Task).where(Task.image_id == image_id, Task.status.in_(RUNNING)).limit(1)).first()
