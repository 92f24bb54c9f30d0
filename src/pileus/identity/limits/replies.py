"""What is answered about limits."""

from pileus.identity.replies import SelfLink, many, one
from pileus.kernel.http.schema import Shape


class LimitReply(Shape):
    id: str
    project_id: str | None
    domain_id: str | None
    service_id: str
    region_id: str | None
    resource_name: str
    resource_limit: int
    description: str | None
    links: SelfLink


class Model(Shape):
    name: str
    description: str


LIMIT, LIMITS = one("limit", LimitReply), many("limits", LimitReply)
CREATED, MODEL = one("limits", list[LimitReply]), one("model", Model)
