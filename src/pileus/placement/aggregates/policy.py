"""Who may see and change the aggregates of a provider."""

from pileus.kernel.policy import Rule
from pileus.placement.personas import ADMIN_OR_SERVICE

RULES = (
    Rule("placement:resource_providers:aggregates:list", ADMIN_OR_SERVICE, "List a provider's aggregates"),
    Rule("placement:resource_providers:aggregates:update", ADMIN_OR_SERVICE, "Set a provider's aggregates"),
)
