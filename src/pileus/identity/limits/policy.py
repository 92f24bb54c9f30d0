"""Who may see and change limits: projects see their own, domains their own and those of their projects."""

from pileus.identity.personas import ADMIN, ADMIN_OR_SYSTEM_READER, ANY_SCOPE
from pileus.kernel.policy import Rule

SEE_ALL = "identity:get_limit"  # whoever may see a limit of nobody in particular sees every one
_OWN = (
    "project_id:%(target.limit.project_id)s or domain_id:%(target.limit.domain.id)s "
    "or domain_id:%(target.limit.project.domain_id)s"
)

RULES = (
    Rule("identity:get_limit_model", "@", "See the enforcement model", ANY_SCOPE),
    Rule(SEE_ALL, f"{ADMIN_OR_SYSTEM_READER} or {_OWN}", "See a limit", ANY_SCOPE),
    Rule("identity:list_limits", "@", "List the limits that one may see", ANY_SCOPE),
    Rule("identity:create_limits", ADMIN, "Set limits", ANY_SCOPE),
    Rule("identity:update_limit", ADMIN, "Change a limit", ANY_SCOPE),
    Rule("identity:delete_limit", ADMIN, "Delete a limit", ANY_SCOPE),
)
