"""Tasks as the API shows them."""

from pileus.image.tasks.models import Task
from pileus.kernel import clock
from pileus.kernel.http.call import Json


def brief(task: Task) -> Json:
    """As in the list of all."""
    return {
        "id": task.id,
        "type": task.type,
        "status": task.status,
        "owner": task.owner,
        "expires_at": clock.iso(task.expires_at) if task.expires_at is not None else None,
        "created_at": clock.iso(task.created_at),
        "updated_at": clock.iso(task.updated_at),
        "self": f"/v2/tasks/{task.id}",
        "schema": "/v2/schemas/task",
    }


def view(task: Task) -> Json:
    return {
        **brief(task),
        "input": {
            name: value for name, value in task.input.items() if name != "roles"
        },  # which are nobody else's business
        "result": task.result,
        "message": task.message,
        "image_id": task.image_id,
        "request_id": task.request_id,
        "user_id": task.user_id,
    }
