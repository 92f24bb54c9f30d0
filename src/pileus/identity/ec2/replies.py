"""What is answered about EC2 key pairs."""

from pileus.identity.replies import SelfLink, many, one
from pileus.kernel.http.schema import Shape


class KeyPairReply(Shape):
    access: str
    secret: str
    user_id: str
    project_id: str | None
    tenant_id: str | None
    trust_id: str | None
    links: SelfLink


KEY_PAIR, KEY_PAIRS = one("credential", KeyPairReply), many("credentials", KeyPairReply)
EC2_TOKENS, S3_TOKENS = many("ec2tokens", object), many("s3tokens", object)
