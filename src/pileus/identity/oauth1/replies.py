"""What is answered about OAuth1's consumers, and tokens to their owners. The tokens themselves go out as forms."""

from pileus.identity.replies import SelfLink, many, one
from pileus.identity.roles.replies import BriefRole
from pileus.kernel.http.schema import Shape


class ConsumerReply(Shape):
    id: str
    description: str | None
    links: SelfLink


class NewConsumerReply(ConsumerReply):
    """The one time that the secret is told."""

    secret: str


class TokenLinks(SelfLink):
    roles: str


class AccessTokenReply(Shape):
    id: str
    consumer_id: str
    project_id: str
    authorizing_user_id: str
    expires_at: str | None
    links: TokenLinks


class AccessRole(BriefRole):
    domain_id: str | None


class Verifier(Shape):
    oauth_verifier: str


FORM = "application/x-www-form-urlencoded"
CONSUMER, CONSUMERS = one("consumer", ConsumerReply), many("consumers", ConsumerReply)
CREATED, VERIFIER = one("consumer", NewConsumerReply), one("token", Verifier)
ACCESS_TOKEN, ACCESS_TOKENS = one("access_token", AccessTokenReply), many("access_tokens", AccessTokenReply)
ROLE, ROLES = one("role", AccessRole), many("roles", AccessRole)
