"""/v2/tasks, for administrators; and the tasks of one image."""

from sqlalchemy import select

from pileus.image.envelope import page_body
from pileus.image.images.queries import Seen
from pileus.image.images.queries import load as load_image
from pileus.image.imports.request import import_from_url
from pileus.image.tasks import queries
from pileus.image.tasks.models import IMPORT, RUNNING, Task
from pileus.image.tasks.schemas import TaskBody
from pileus.image.tasks.views import brief, view
from pileus.kernel.errors import BadRequest, Forbidden
from pileus.kernel.http.call import Call, Json, Reply
from pileus.kernel.http.routes import Route

PATH = "/v2/tasks"
ACCESS = "tasks_api_access"


def index(call: Call) -> Json:
    marker = call.query_value("marker")
    if marker and call.db.get(Task, marker) is None:
        raise BadRequest(f"Invalid marker: no task found with ID {marker}")
    page = queries.TASKS.page(call, select(Task))
    return page_body(call, page, PATH, "/v2/schemas/tasks", brief, marker=lambda task: task.id)


def create(call: Call, body: TaskBody) -> Reply:
    if body.type != IMPORT:
        raise BadRequest(f"Tasks of type {body.type!r} cannot be asked for; known: {IMPORT}.")
    task = import_from_url(call, body.input)
    call.db.flush()
    return Reply(view(task), headers={"location": call.url(f"{PATH}/{task.id}")})


def show(call: Call, task: Task) -> Json:
    return view(task)


def destroy(call: Call, task: Task) -> None:
    if task.status in RUNNING:
        raise Forbidden(f"Task {task.id} is {task.status}: only ended tasks can be deleted.")
    call.db.delete(task)


def of_image(call: Call, seen: Seen) -> Json:
    return {"tasks": [view(task) for task in queries.of_image(call.db, seen.image)]}


ROUTES = (
    Route("GET", PATH, index, ACCESS),
    Route("POST", PATH, create, ACCESS, status=201),
    Route("GET", f"{PATH}/{{task_id}}", show, ACCESS, load=queries.load),
    Route("DELETE", f"{PATH}/{{task_id}}", destroy, ACCESS, load=queries.load, status=204),
    Route("GET", "/v2/images/{image_id}/tasks", of_image, "get_task", load=load_image),
)
