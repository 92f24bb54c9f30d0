"""Application credentials and access rules are their user's own; administrators may look at them and end them."""

from pileus.identity.personas import ADMIN, ADMIN_OR_SYSTEM_READER, ANY_SCOPE
from pileus.kernel.policy import Rule

_OWNER = "user_id:%(target.user.id)s"
_SEE = f"{ADMIN_OR_SYSTEM_READER} or {_OWNER}"
_END = f"{ADMIN} or {_OWNER}"

RULES = (
    Rule("identity:get_application_credential", _SEE, "See an application credential", ANY_SCOPE),
    Rule("identity:list_application_credentials", _SEE, "List a user's application credentials", ANY_SCOPE),
    Rule("identity:create_application_credential", _OWNER, "Make one for oneself", ("project",)),
    Rule("identity:delete_application_credential", _END, "End an application credential", ANY_SCOPE),
    Rule("identity:get_access_rule", _SEE, "See an access rule", ANY_SCOPE),
    Rule("identity:list_access_rules", _SEE, "List a user's access rules", ANY_SCOPE),
    Rule("identity:delete_access_rule", _END, "Delete an access rule that is not in use", ANY_SCOPE),
)
