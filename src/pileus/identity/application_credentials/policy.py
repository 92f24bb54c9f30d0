"""Application credentials are their user's own; administrators may look at them and end them."""

from pileus.identity.personas import ADMIN, ADMIN_OR_SYSTEM_READER, ANY_SCOPE
from pileus.kernel.policy import Rule

_OWNER = "user_id:%(target.user.id)s"

RULES = (
    Rule("identity:get_application_credential", f"{ADMIN_OR_SYSTEM_READER} or {_OWNER}", "See one", ANY_SCOPE),
    Rule("identity:list_application_credentials", f"{ADMIN_OR_SYSTEM_READER} or {_OWNER}", "List a user's", ANY_SCOPE),
    Rule("identity:create_application_credential", _OWNER, "Make one for oneself", ("project",)),
    Rule("identity:delete_application_credential", f"{ADMIN} or {_OWNER}", "End one", ANY_SCOPE),
)
