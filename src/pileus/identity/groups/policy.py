"""Who may see and run groups and their members."""

from pileus.identity.personas import ADMIN, ADMIN_OR_SYSTEM_READER, ANY_SCOPE, domain_manager, domain_reader
from pileus.kernel.policy import Rule

_DOMAIN = "target.group.domain_id"
_SEE = f"{ADMIN_OR_SYSTEM_READER} or {domain_reader(_DOMAIN)}"
_RUN = f"{ADMIN} or {domain_manager(_DOMAIN)}"
_RUN_BOTH = f"{ADMIN} or {domain_manager(_DOMAIN, 'target.user.domain_id')}"

RULES = (
    Rule("identity:get_group", _SEE, "See a group", ANY_SCOPE),
    Rule(
        "identity:list_groups",
        f"{ADMIN_OR_SYSTEM_READER} or {domain_reader('target.domain_id')}",
        "List groups",
        ANY_SCOPE,
    ),
    Rule("identity:create_group", _RUN, "Make a group", ANY_SCOPE),
    Rule("identity:update_group", _RUN, "Change a group", ANY_SCOPE),
    Rule("identity:delete_group", _RUN, "Delete a group", ANY_SCOPE),
    Rule("identity:list_users_in_group", _SEE, "List a group's members", ANY_SCOPE),
    Rule(
        "identity:check_user_in_group",
        f"{ADMIN_OR_SYSTEM_READER} or {domain_reader(_DOMAIN, 'target.user.domain_id')}",
        "See whether a user is in a group",
        ANY_SCOPE,
    ),
    Rule("identity:add_user_to_group", _RUN_BOTH, "Put a user in a group", ANY_SCOPE),
    Rule("identity:remove_user_from_group", _RUN_BOTH, "Take a user out of a group", ANY_SCOPE),
)
