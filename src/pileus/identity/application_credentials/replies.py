"""What is answered about application credentials and access rules."""

from pileus.identity.replies import IdAndName, SelfLink, many, one
from pileus.kernel.http.schema import UNSET, Shape, Unset


class RuleReply(Shape):
    id: str
    service: str
    path: str
    method: str


class OwnRuleReply(RuleReply):
    links: SelfLink


class HeldRole(IdAndName):
    domain_id: str | None


class CredentialReply(Shape):
    id: str
    name: str
    description: str | None
    user_id: str
    project_id: str
    expires_at: str | None
    unrestricted: bool
    roles: list[HeldRole]
    links: SelfLink
    access_rules: list[RuleReply] | Unset = UNSET


class NewCredentialReply(CredentialReply, kw_only=True):
    """The one time that the secret is told."""

    secret: str


CREATED = one("application_credential", NewCredentialReply)
CREDENTIAL = one("application_credential", CredentialReply)
CREDENTIALS = many("application_credentials", CredentialReply)
RULE, RULES = one("access_rule", OwnRuleReply), many("access_rules", OwnRuleReply)
