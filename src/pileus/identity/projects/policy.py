"""Who may see and run projects and their tags."""

from pileus.identity.personas import ADMIN, ADMIN_OR_SYSTEM_READER, ANY_SCOPE, domain_manager, domain_reader
from pileus.kernel.policy import Rule

_DOMAIN = "target.project.domain_id"
_SEE = f"{ADMIN_OR_SYSTEM_READER} or {domain_reader(_DOMAIN)} or project_id:%(target.project.id)s"
_RUN = f"{ADMIN} or {domain_manager(_DOMAIN)}"

RULES = (
    Rule("identity:get_project", _SEE, "See a project", ANY_SCOPE),
    Rule(
        "identity:list_projects",
        f"{ADMIN_OR_SYSTEM_READER} or {domain_reader('target.domain_id')}",
        "List projects",
        ANY_SCOPE,
    ),
    Rule(
        "identity:list_user_projects",
        f"{ADMIN_OR_SYSTEM_READER} or {domain_reader('target.user.domain_id')} or user_id:%(target.user.id)s",
        "List a user's projects",
        ANY_SCOPE,
    ),
    Rule("identity:create_project", _RUN, "Make a project", ANY_SCOPE),
    Rule("identity:update_project", _RUN, "Change a project", ANY_SCOPE),
    Rule("identity:delete_project", _RUN, "Delete a project", ANY_SCOPE),
    Rule("identity:list_project_tags", _SEE, "List a project's tags", ANY_SCOPE),
    Rule("identity:get_project_tag", _SEE, "See whether a project has a tag", ANY_SCOPE),
    Rule("identity:create_project_tag", _RUN, "Add a tag to a project", ANY_SCOPE),
    Rule("identity:update_project_tags", _RUN, "Replace a project's tags", ANY_SCOPE),
    Rule("identity:delete_project_tag", _RUN, "Take a tag from a project", ANY_SCOPE),
    Rule("identity:delete_project_tags", _RUN, "Take all tags from a project", ANY_SCOPE),
)
