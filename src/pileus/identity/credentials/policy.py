"""Who may do what with credentials: their user, and administrators. Readers of the system see them."""

from pileus.identity.personas import ADMIN, ADMIN_OR_SYSTEM_READER, ANY_SCOPE
from pileus.kernel.policy import Rule

OWNER = "user_id:%(target.credential.user_id)s"
_SEE = f"{ADMIN_OR_SYSTEM_READER} or {OWNER}"
_RUN = f"{ADMIN} or {OWNER}"

RULES = (
    Rule("identity:get_credential", _SEE, "See a credential, its secret included", ANY_SCOPE),
    Rule("identity:list_credentials", _SEE, "List credentials: all, or one's own", ANY_SCOPE),
    Rule("identity:create_credential", _RUN, "Make a credential", ANY_SCOPE),
    Rule("identity:update_credential", _RUN, "Change a credential's secret", ANY_SCOPE),
    Rule("identity:delete_credential", _RUN, "Delete a credential", ANY_SCOPE),
)
