"""Who may see and change resource classes."""

from pileus.kernel.policy import Rule
from pileus.placement.personas import ADMIN_OR_SERVICE

RULES = (
    Rule("placement:resource_classes:list", ADMIN_OR_SERVICE, "List resource classes"),
    Rule("placement:resource_classes:create", ADMIN_OR_SERVICE, "Make a custom resource class"),
    Rule("placement:resource_classes:show", ADMIN_OR_SERVICE, "See a resource class"),
    Rule("placement:resource_classes:update", ADMIN_OR_SERVICE, "Make or rename a custom resource class"),
    Rule("placement:resource_classes:delete", ADMIN_OR_SERVICE, "Delete a custom resource class"),
)
