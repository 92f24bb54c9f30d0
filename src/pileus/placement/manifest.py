"""Placement, as the composition mounts it."""

from pileus.kernel.http.call import Call, Json
from pileus.kernel.http.routes import PUBLIC, Route
from pileus.kernel.manifest import Manifest
from pileus.kernel.microversion import Microversions, Version
from pileus.placement.aggregates.policy import RULES as AGGREGATE_RULES
from pileus.placement.aggregates.routes import ROUTES as AGGREGATES
from pileus.placement.allocations.policy import RULES as ALLOCATION_RULES
from pileus.placement.allocations.routes import ROUTES as ALLOCATIONS
from pileus.placement.candidates.policy import RULES as CANDIDATE_RULES
from pileus.placement.candidates.routes import ROUTES as CANDIDATES
from pileus.placement.errors import error_body
from pileus.placement.inventories.policy import RULES as INVENTORY_RULES
from pileus.placement.inventories.routes import ROUTES as INVENTORIES
from pileus.placement.providers.policy import RULES as PROVIDER_RULES
from pileus.placement.providers.routes import ROUTES as PROVIDERS
from pileus.placement.reshaper.policy import RULES as RESHAPER_RULES
from pileus.placement.reshaper.routes import ROUTES as RESHAPER
from pileus.placement.resource_classes.policy import RULES as CLASS_RULES
from pileus.placement.resource_classes.routes import ROUTES as CLASSES
from pileus.placement.traits.attached import ROUTES as PROVIDER_TRAITS
from pileus.placement.traits.policy import RULES as TRAIT_RULES
from pileus.placement.traits.routes import ROUTES as TRAITS
from pileus.placement.usages.policy import RULES as USAGE_RULES
from pileus.placement.usages.routes import ROUTES as USAGES

MICROVERSIONS = Microversions("placement", Version(1, 0), Version(1, 39))


def root(call: Call) -> Json:
    entry = {
        "id": "v1.0",
        "min_version": str(MICROVERSIONS.lowest),
        "max_version": str(MICROVERSIONS.highest),
        "status": "CURRENT",
        "links": [{"rel": "self", "href": ""}],
    }
    return {"versions": [entry]}


MANIFEST = Manifest(
    name="placement",
    title="Placement",
    routes=(
        Route("GET", "/", root, PUBLIC),
        *PROVIDERS,
        *INVENTORIES,
        *TRAITS,
        *PROVIDER_TRAITS,
        *CLASSES,
        *AGGREGATES,
        *USAGES,
        *ALLOCATIONS,
        *CANDIDATES,
        *RESHAPER,
    ),
    policies=(
        *PROVIDER_RULES,
        *INVENTORY_RULES,
        *TRAIT_RULES,
        *CLASS_RULES,
        *AGGREGATE_RULES,
        *USAGE_RULES,
        *ALLOCATION_RULES,
        *CANDIDATE_RULES,
        *RESHAPER_RULES,
    ),
    error_body=error_body,
    types={"placement": ""},
    microversions=MICROVERSIONS,
    lax_types=False,
)
