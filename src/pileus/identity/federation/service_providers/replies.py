"""What is answered about service providers."""

from pileus.identity.replies import SelfLink, many, one
from pileus.kernel.http.schema import Shape


class ServiceProviderReply(Shape):
    id: str
    auth_url: str
    sp_url: str
    enabled: bool
    description: str | None
    relay_state_prefix: str | None
    links: SelfLink


PROVIDER, PROVIDERS = one("service_provider", ServiceProviderReply), many("service_providers", ServiceProviderReply)
