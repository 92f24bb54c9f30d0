"""What is answered about groups."""

from pileus.identity.replies import SelfLink, many, one
from pileus.kernel.http.schema import OpenShape


class GroupReply(OpenShape):
    id: str
    name: str
    domain_id: str
    description: str | None
    links: SelfLink


GROUP, GROUPS = one("group", GroupReply), many("groups", GroupReply)
