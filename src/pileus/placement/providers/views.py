"""Resource providers as answers show them."""

from pileus.kernel.http.call import Call, Json
from pileus.placement.freshness import href
from pileus.placement.providers.models import Provider

# What hangs below a provider, and since which microversion it is linked.
PARTS = (("inventories", 0), ("usages", 0), ("aggregates", 1), ("traits", 6), ("allocations", 11))


def view(call: Call, provider: Provider) -> Json:
    own = href(call, f"/resource_providers/{provider.id}")
    parts = [{"rel": rel, "href": f"{own}/{rel}"} for rel, minor in PARTS if call.at_least(1, minor)]
    shown: Json = {
        "uuid": provider.id,
        "name": provider.name,
        "generation": provider.generation,
        "links": [{"rel": "self", "href": own}, *parts],
    }
    if call.at_least(1, 14):
        shown |= {"parent_provider_uuid": provider.parent_id, "root_provider_uuid": provider.root_id}
    return shown
