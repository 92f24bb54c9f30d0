"""What is answered about identity providers."""

from pileus.identity.replies import SelfLink, many, one
from pileus.kernel.http.schema import Shape


class ProviderLinks(SelfLink):
    protocols: str


class IdentityProviderReply(Shape):
    id: str
    domain_id: str | None
    enabled: bool
    description: str | None
    authorization_ttl: int | None
    remote_ids: list[str]
    links: ProviderLinks


PROVIDER, PROVIDERS = one("identity_provider", IdentityProviderReply), many("identity_providers", IdentityProviderReply)
