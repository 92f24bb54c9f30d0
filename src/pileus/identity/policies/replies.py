"""What is answered about policies."""

from pileus.identity.policies.schemas import Blob
from pileus.identity.replies import SelfLink, many, one
from pileus.kernel.http.schema import OpenShape


class PolicyReply(OpenShape):
    id: str
    type: str
    blob: Blob
    links: SelfLink


POLICY, POLICIES = one("policy", PolicyReply), many("policies", PolicyReply)
