"""What is answered about registered limits."""

from pileus.identity.replies import SelfLink, many, one
from pileus.kernel.http.schema import Shape


class RegisteredLimitReply(Shape):
    id: str
    service_id: str
    region_id: str | None
    resource_name: str
    default_limit: int
    description: str | None
    links: SelfLink


LIMIT, LIMITS = one("registered_limit", RegisteredLimitReply), many("registered_limits", RegisteredLimitReply)
CREATED = one("registered_limits", list[RegisteredLimitReply])
