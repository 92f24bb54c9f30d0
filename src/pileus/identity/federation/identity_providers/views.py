"""The JSON of identity providers."""

from collections.abc import Sequence

from pileus.identity.federation.identity_providers.models import IdentityProvider
from pileus.kernel.http.call import Call, Json

PATH = "/v3/OS-FEDERATION/identity_providers"


def view(call: Call, provider: IdentityProvider, remote_ids: Sequence[str]) -> Json:
    own = call.url(f"{PATH}/{provider.id}")
    return {
        "id": provider.id,
        "domain_id": provider.domain_id,
        "enabled": provider.enabled,
        "description": provider.description,
        "authorization_ttl": provider.authorization_ttl,
        "remote_ids": list(remote_ids),
        "links": {"self": own, "protocols": f"{own}/protocols"},
    }
