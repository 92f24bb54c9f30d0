"""Who may see and run users."""

from pileus.identity.personas import ADMIN, ADMIN_OR_SYSTEM_READER, ANY_SCOPE, domain_manager, domain_reader
from pileus.kernel.policy import Rule

_DOMAIN = "target.user.domain_id"
_SELF = "user_id:%(target.user.id)s"
_SEE = f"{ADMIN_OR_SYSTEM_READER} or {domain_reader(_DOMAIN)} or {_SELF}"
_RUN = f"{ADMIN} or {domain_manager(_DOMAIN)}"

RULES = (
    Rule("identity:get_user", _SEE, "See a user", ANY_SCOPE),
    Rule(
        "identity:list_users",
        f"{ADMIN_OR_SYSTEM_READER} or {domain_reader('target.domain_id')}",
        "List users",
        ANY_SCOPE,
    ),
    Rule("identity:create_user", _RUN, "Make a user", ANY_SCOPE),
    Rule("identity:update_user", _RUN, "Change a user", ANY_SCOPE),
    Rule("identity:delete_user", _RUN, "Delete a user", ANY_SCOPE),
    Rule("identity:list_groups_for_user", _SEE, "List the groups that a user is in", ANY_SCOPE),
)
