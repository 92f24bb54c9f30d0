"""What a task has to do, as its worker carries it around."""

from dataclasses import dataclass, field

from sqlalchemy.orm import Session

from pileus.image.images.models import IMPORTING, Image
from pileus.image.tasks import sealing
from pileus.image.tasks.models import COPY_IMAGE, Task
from pileus.kernel.cloud import Cloud


@dataclass
class Job:
    """`asked` is the task's input. The formats are the image's, as they become while the job goes on; `properties` are those
    that it had at the start, `adopted` those that come along with the data.

    `start` counts how often the task was begun: each time is a job of its own.
    """

    task_id: str
    start: int
    kind: str
    image_id: str
    owner: str | None
    asked: dict[str, object]
    token: str | None
    disk_format: str
    container_format: str
    properties: dict[str, str]
    stores: list[str] = field(default_factory=list)
    adopted: dict[str, str] = field(default_factory=dict)
    signed: bool = True  # what comes is what the user signed; false once a plugin has changed it

    @classmethod
    def of(cls, cloud: Cloud, db: Session, task: Task) -> "Job | None":
        """None when the image is gone; another one may have its id."""
        image = db.get(Image, task.image_id)
        if (
            image is None
            or (image.status != IMPORTING and task.type != COPY_IMAGE)
            or task.created_at < image.created_at
        ):
            return None
        backend = task.input.get("backend")
        return cls(
            task_id=task.id,
            start=task.attempts,
            kind=task.type,
            image_id=image.id,
            owner=image.owner,
            asked=task.input,
            token=sealing.unseal(cloud, task.sealed),
            disk_format=image.disk_format or "",
            container_format=image.container_format or "",
            properties={name: value for name, value in image.properties.items() if value is not None},
            stores=[str(name) for name in backend] if isinstance(backend, list) else [],
        )

    @property
    def request(self) -> dict[str, object]:
        """The body of the request to import, with its method."""
        given = self.asked.get("import_req")
        return given if isinstance(given, dict) else {}

    @property
    def method(self) -> dict[str, object]:
        given = self.request.get("method")
        return given if isinstance(given, dict) else {}

    @property
    def all_must_succeed(self) -> bool:
        return self.request.get("all_stores_must_succeed", True) is True

    @property
    def roles(self) -> list[str]:
        given = self.asked.get("roles")
        return [str(role) for role in given] if isinstance(given, list) else []
