"""Who may see and change what can be limited. The defaults are for everyone to see."""

from pileus.identity.personas import ADMIN, ANY_SCOPE
from pileus.kernel.policy import Rule

RULES = (
    Rule("identity:get_registered_limit", "@", "See a registered limit", ANY_SCOPE),
    Rule("identity:list_registered_limits", "@", "List registered limits", ANY_SCOPE),
    Rule("identity:create_registered_limits", ADMIN, "Register limits", ANY_SCOPE),
    Rule("identity:update_registered_limit", ADMIN, "Change a registered limit", ANY_SCOPE),
    Rule("identity:delete_registered_limit", ADMIN, "Delete a registered limit", ANY_SCOPE),
)
