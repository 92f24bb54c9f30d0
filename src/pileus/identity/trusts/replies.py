"""What is answered about trusts."""

from pileus.identity.replies import PageLinks, SelfLink, many, one
from pileus.identity.roles.replies import BriefRole
from pileus.kernel.http.schema import Shape


class TrustSummary(Shape):
    id: str
    trustor_user_id: str
    trustee_user_id: str
    project_id: str | None
    impersonation: bool
    expires_at: str | None
    remaining_uses: int | None
    allow_redelegation: bool
    redelegation_count: int
    redelegated_trust_id: str | None
    deleted_at: None
    links: SelfLink


class TrustReply(TrustSummary):
    roles: list[BriefRole]
    roles_links: PageLinks


TRUST, TRUSTS = one("trust", TrustReply), many("trusts", TrustSummary)
ROLE, ROLES = one("role", BriefRole), many("roles", BriefRole)
