"""Who may see and change the policies that identity keeps, and for which endpoints they are."""

from pileus.identity.personas import ADMIN, ADMIN_OR_SYSTEM_READER, ANY_SCOPE
from pileus.kernel.policy import Rule

_ASSOCIATED = {
    "endpoint": "an endpoint",
    "service": "all endpoints of a service",
    "region_and_service": "all endpoints of a service in a region",
}

RULES = (
    Rule("identity:get_policy", ADMIN_OR_SYSTEM_READER, "See a policy", ANY_SCOPE),
    Rule("identity:list_policies", ADMIN_OR_SYSTEM_READER, "List policies", ANY_SCOPE),
    Rule("identity:create_policy", ADMIN, "Make a policy", ANY_SCOPE),
    Rule("identity:update_policy", ADMIN, "Change a policy", ANY_SCOPE),
    Rule("identity:delete_policy", ADMIN, "Delete a policy", ANY_SCOPE),
    Rule("identity:get_policy_for_endpoint", ADMIN_OR_SYSTEM_READER, "See the policy of an endpoint", ANY_SCOPE),
    Rule("identity:list_endpoints_for_policy", ADMIN_OR_SYSTEM_READER, "See whose policy it is", ANY_SCOPE),
    *(
        Rule(f"identity:{verb}_policy_association_for_{kind}", check, f"{word} {about}", ANY_SCOPE)
        for kind, about in _ASSOCIATED.items()
        for verb, check, word in (
            ("check", ADMIN_OR_SYSTEM_READER, "See whether a policy is for"),
            ("create", ADMIN, "Make a policy that for"),
            ("delete", ADMIN, "Make a policy no longer that for"),
        )
    ),
)
