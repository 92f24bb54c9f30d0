"""Who may see and run domains."""

from pileus.identity.personas import ADMIN, ADMIN_OR_SYSTEM_READER, ANY_SCOPE
from pileus.kernel.policy import Rule

_OWN = "domain_id:%(target.domain.id)s or project_domain_id:%(target.domain.id)s"

RULES = (
    Rule("identity:get_domain", f"{ADMIN_OR_SYSTEM_READER} or {_OWN}", "See a domain", ANY_SCOPE),
    Rule(
        "identity:list_domains",
        f"{ADMIN_OR_SYSTEM_READER} or (role:reader and domain_id:%(target.domain_id)s)",
        "List domains",
        ANY_SCOPE,
    ),
    Rule("identity:create_domain", ADMIN, "Make a domain", ANY_SCOPE),
    Rule("identity:update_domain", ADMIN, "Change a domain", ANY_SCOPE),
    Rule("identity:delete_domain", ADMIN, "Delete a domain with all that is in it", ANY_SCOPE),
)
