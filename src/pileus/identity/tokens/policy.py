"""Who may look at and end tokens."""

from pileus.identity.personas import ADMIN, ADMIN_OR_SYSTEM_READER, ANY_SCOPE
from pileus.kernel.policy import Rule

SUBJECT = "user_id:%(target.token.user_id)s"

RULES = (
    Rule(
        "identity:check_token",
        f"{ADMIN_OR_SYSTEM_READER} or rule:service_role or {SUBJECT}",
        "See that a token is good",
        ANY_SCOPE,
    ),
    Rule(
        "identity:validate_token",
        f"{ADMIN_OR_SYSTEM_READER} or rule:service_role or {SUBJECT}",
        "Read a token",
        ANY_SCOPE,
    ),
    Rule("identity:revoke_token", f"rule:admin_required or {SUBJECT}", "End a token", ANY_SCOPE),
    Rule("identity:revocation_list", f"{ADMIN} or rule:service_role", "List revoked tokens", ANY_SCOPE),
    Rule("identity:get_auth_catalog", "@", "Read the catalog", ANY_SCOPE),
    Rule("identity:get_auth_projects", "@", "List the projects one can scope to", ANY_SCOPE),
    Rule("identity:get_auth_domains", "@", "List the domains one can scope to", ANY_SCOPE),
    Rule("identity:get_auth_system", "@", "See whether one can scope to the system", ANY_SCOPE),
)
