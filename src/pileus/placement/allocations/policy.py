"""Who may see and change allocations."""

from pileus.kernel.policy import Rule
from pileus.placement.personas import ADMIN_OR_SERVICE

RULES = (
    Rule("placement:allocations:manage", ADMIN_OR_SERVICE, "Set the allocations of several consumers"),
    Rule("placement:allocations:list", ADMIN_OR_SERVICE, "See a consumer's allocations"),
    Rule("placement:allocations:update", ADMIN_OR_SERVICE, "Set a consumer's allocations"),
    Rule("placement:allocations:delete", ADMIN_OR_SERVICE, "Delete a consumer's allocations"),
    Rule("placement:resource_providers:allocations:list", ADMIN_OR_SERVICE, "See a provider's allocations"),
)
