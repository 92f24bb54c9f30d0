"""Who may see and run roles and their implications. Domain managers see roles in order to give them."""

from pileus.identity.personas import ADMIN, ADMIN_OR_SYSTEM_READER, ANY_SCOPE
from pileus.kernel.policy import Rule

_SEE = f"{ADMIN_OR_SYSTEM_READER} or (role:manager and domain_id:%(target.domain_id)s)"

RULES = (
    Rule("identity:get_role", _SEE, "See a role", ANY_SCOPE),
    Rule("identity:list_roles", _SEE, "List roles", ANY_SCOPE),
    Rule("identity:create_role", ADMIN, "Make a role", ANY_SCOPE),
    Rule("identity:update_role", ADMIN, "Change a role", ANY_SCOPE),
    Rule("identity:delete_role", ADMIN, "Delete a role", ANY_SCOPE),
    Rule("identity:get_implied_role", ADMIN_OR_SYSTEM_READER, "See an implication", ANY_SCOPE),
    Rule("identity:check_implied_role", ADMIN_OR_SYSTEM_READER, "See whether a role implies another", ANY_SCOPE),
    Rule("identity:list_implied_roles", ADMIN_OR_SYSTEM_READER, "List what a role implies", ANY_SCOPE),
    Rule("identity:list_role_inference_rules", ADMIN_OR_SYSTEM_READER, "List all implications", ANY_SCOPE),
    Rule("identity:create_implied_role", ADMIN, "Let a role imply another", ANY_SCOPE),
    Rule("identity:delete_implied_role", ADMIN, "End an implication", ANY_SCOPE),
)
