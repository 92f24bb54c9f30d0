"""Who may see and change resource providers."""

from pileus.kernel.policy import Rule
from pileus.placement.personas import ADMIN_OR_SERVICE

RULES = (
    Rule("placement:resource_providers:list", ADMIN_OR_SERVICE, "List resource providers"),
    Rule("placement:resource_providers:create", ADMIN_OR_SERVICE, "Make a resource provider"),
    Rule("placement:resource_providers:show", ADMIN_OR_SERVICE, "See a resource provider"),
    Rule("placement:resource_providers:update", ADMIN_OR_SERVICE, "Rename or move a resource provider"),
    Rule("placement:resource_providers:delete", ADMIN_OR_SERVICE, "Delete a resource provider"),
)
