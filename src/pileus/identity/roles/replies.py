"""What is answered about roles and what they imply."""

from pileus.identity.options import ResourceOptions
from pileus.identity.replies import IdAndName, PageLinks, SelfLink, many, one
from pileus.kernel.http.schema import OpenShape, Shape


class RoleReply(OpenShape):
    id: str
    name: str
    domain_id: str | None
    description: str | None
    options: ResourceOptions
    links: SelfLink


class BriefRole(IdAndName):
    links: SelfLink


class Inference(Shape):
    prior_role: BriefRole
    implies: list[BriefRole]


class InferredPair(Shape):
    prior_role: BriefRole
    implies: BriefRole


ROLE, ROLES = one("role", RoleReply), many("roles", RoleReply)
IMPLIED, PAIR = one("role_inference", Inference, links=PageLinks), one("role_inference", InferredPair, links=PageLinks)
INFERENCES = many("role_inferences", Inference)
