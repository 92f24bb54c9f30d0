"""Who may see and give roles. A domain's manager gives roles up to manager within the domain; the system's are admin's to give."""

from pileus.identity.personas import ADMIN, ADMIN_OR_SYSTEM_READER, ANY_SCOPE, domain_manager, domain_reader
from pileus.kernel.policy import Rule

_GIVABLE = (
    "('manager':%(target.role.name)s or 'member':%(target.role.name)s or 'reader':%(target.role.name)s)"
    " and None:%(target.role.domain_id)s"
)
_PAIRS = tuple(
    (f"target.{actor}.domain_id", target)
    for actor in ("user", "group")
    for target in ("target.project.domain_id", "target.domain.id")
)
_SEE = " or ".join((ADMIN_OR_SYSTEM_READER, *(domain_reader(*pair) for pair in _PAIRS)))
_GIVE = " or ".join((ADMIN, *(f"({domain_manager(*pair)} and {_GIVABLE})" for pair in _PAIRS)))

RULES = (
    Rule(
        "identity:change_privileged",
        ADMIN,
        "Change users and groups that hold admin, service or a role in the system",
        ANY_SCOPE,
    ),
    Rule("identity:check_grant", _SEE, "See whether somebody has a role", ANY_SCOPE),
    Rule("identity:list_grants", _SEE, "List somebody's roles in a project or domain", ANY_SCOPE),
    Rule("identity:create_grant", _GIVE, "Give a role", ANY_SCOPE),
    Rule("identity:revoke_grant", _GIVE, "Take a role away", ANY_SCOPE),
    *(
        Rule(
            f"identity:{verb}_system_grant{ending}_for_{actor}", check, f"{what} of a {actor} in the system", ANY_SCOPE
        )
        for actor in ("user", "group")
        for verb, ending, check, what in (
            ("list", "s", ADMIN_OR_SYSTEM_READER, "List the roles"),
            ("check", "", ADMIN_OR_SYSTEM_READER, "See a role"),
            ("create", "", ADMIN, "Give a role"),
            ("revoke", "", ADMIN, "Take away a role"),
        )
    ),
    Rule(
        "identity:list_role_assignments",
        f"{ADMIN_OR_SYSTEM_READER} or {domain_reader('target.domain_id')}",
        "List role assignments",
        ANY_SCOPE,
    ),
    Rule(
        "identity:list_role_assignments_for_tree",
        f"{ADMIN_OR_SYSTEM_READER} or {domain_reader('target.project.domain_id')}",
        "List the role assignments of a project and those below it",
        ANY_SCOPE,
    ),
)
