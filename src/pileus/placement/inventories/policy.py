"""Who may see and change inventories."""

from pileus.kernel.policy import Rule
from pileus.placement.personas import ADMIN_OR_SERVICE

RULES = (
    Rule("placement:resource_providers:inventories:list", ADMIN_OR_SERVICE, "List a provider's inventories"),
    Rule("placement:resource_providers:inventories:create", ADMIN_OR_SERVICE, "Add one inventory"),
    Rule("placement:resource_providers:inventories:show", ADMIN_OR_SERVICE, "See one inventory"),
    Rule("placement:resource_providers:inventories:update", ADMIN_OR_SERVICE, "Set one or all inventories"),
    Rule("placement:resource_providers:inventories:delete", ADMIN_OR_SERVICE, "Delete one or all inventories"),
)
