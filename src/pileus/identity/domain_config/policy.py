"""Who may see and change how a domain is configured."""

from pileus.identity.personas import ADMIN, ADMIN_OR_SYSTEM_READER, ANY_SCOPE
from pileus.kernel.policy import Rule

RULES = (
    Rule("identity:create_domain_config", ADMIN, "Set a domain's configuration", ANY_SCOPE),
    Rule("identity:get_domain_config", ADMIN_OR_SYSTEM_READER, "See a domain's configuration", ANY_SCOPE),
    Rule("identity:get_domain_config_default", ADMIN_OR_SYSTEM_READER, "See what domains have unset", ANY_SCOPE),
    Rule("identity:update_domain_config", ADMIN, "Change a domain's configuration", ANY_SCOPE),
    Rule("identity:delete_domain_config", ADMIN, "Remove a domain's configuration", ANY_SCOPE),
    Rule("identity:get_security_compliance_domain_config", "@", "See what passwords must look like", ANY_SCOPE),
)
