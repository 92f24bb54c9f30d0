"""A trust is its trustor's to make and end; both sides may look at it."""

from pileus.identity.personas import ADMIN, ADMIN_OR_SYSTEM_READER, ANY_SCOPE
from pileus.kernel.policy import Rule

_TRUSTOR = "user_id:%(target.trust.trustor_user_id)s"
_TRUSTEE = "user_id:%(target.trust.trustee_user_id)s"
_SEE = f"{ADMIN_OR_SYSTEM_READER} or {_TRUSTOR} or {_TRUSTEE}"

RULES = (
    Rule("identity:create_trust", _TRUSTOR, "Make a trust, as its trustor", ("project",)),
    Rule("identity:list_trusts", _SEE, "List trusts: all, or those of the trustor or trustee asked for", ANY_SCOPE),
    Rule("identity:list_trusts_for_trustor", f"{ADMIN_OR_SYSTEM_READER} or {_TRUSTOR}", "List a trustor's", ANY_SCOPE),
    Rule("identity:list_trusts_for_trustee", f"{ADMIN_OR_SYSTEM_READER} or {_TRUSTEE}", "List a trustee's", ANY_SCOPE),
    Rule("identity:get_trust", _SEE, "See a trust", ANY_SCOPE),
    Rule("identity:delete_trust", f"{ADMIN} or {_TRUSTOR}", "End a trust", ANY_SCOPE),
    Rule("identity:list_roles_for_trust", _SEE, "List the roles of a trust", ANY_SCOPE),
    Rule("identity:get_role_for_trust", _SEE, "See whether a trust gives a role", ANY_SCOPE),
)
