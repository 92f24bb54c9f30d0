"""Who may see and change traits."""

from pileus.kernel.policy import Rule
from pileus.placement.personas import ADMIN_OR_SERVICE

RULES = (
    Rule("placement:traits:list", ADMIN_OR_SERVICE, "List traits"),
    Rule("placement:traits:show", ADMIN_OR_SERVICE, "Ask whether a trait exists"),
    Rule("placement:traits:update", ADMIN_OR_SERVICE, "Make a custom trait"),
    Rule("placement:traits:delete", ADMIN_OR_SERVICE, "Delete a custom trait"),
    Rule("placement:resource_providers:traits:list", ADMIN_OR_SERVICE, "List a provider's traits"),
    Rule("placement:resource_providers:traits:update", ADMIN_OR_SERVICE, "Set a provider's traits"),
    Rule("placement:resource_providers:traits:delete", ADMIN_OR_SERVICE, "Take all traits off a provider"),
)
