"""Who may see and change what the catalog is made of. Regions are for everyone to see."""

from pileus.identity.personas import ADMIN, ADMIN_OR_SYSTEM_READER, ANY_SCOPE
from pileus.kernel.policy import Rule

_READ = {
    "list_projects_for_endpoint": "See which projects were given an endpoint",
    "check_endpoint_in_project": "See whether a project was given an endpoint",
    "list_endpoints_for_project": "See which endpoints a project was given",
    "list_endpoint_groups": "List endpoint groups",
    "get_endpoint_group": "See an endpoint group",
    "list_projects_associated_with_endpoint_group": "See which projects were given an endpoint group",
    "list_endpoints_associated_with_endpoint_group": "See which endpoints are in an endpoint group",
    "get_endpoint_group_in_project": "See whether a project was given an endpoint group",
    "list_endpoint_groups_for_project": "See which endpoint groups a project was given",
}
_WRITE = {
    "add_endpoint_to_project": "Give a project an endpoint",
    "remove_endpoint_from_project": "Take an endpoint from a project",
    "create_endpoint_group": "Make an endpoint group",
    "update_endpoint_group": "Change an endpoint group",
    "delete_endpoint_group": "Delete an endpoint group",
    "add_endpoint_group_to_project": "Give a project an endpoint group",
    "remove_endpoint_group_from_project": "Take an endpoint group from a project",
}

RULES = (
    *(
        Rule(f"identity:{verb}_{kind}{'s' if verb == 'list' else ''}", check, f"{verb.title()} {kind}s", ANY_SCOPE)
        for kind in ("service", "endpoint", "region")
        for verb, check in (
            ("get", "@" if kind == "region" else ADMIN_OR_SYSTEM_READER),
            ("list", "@" if kind == "region" else ADMIN_OR_SYSTEM_READER),
            ("create", ADMIN),
            ("update", ADMIN),
            ("delete", ADMIN),
        )
    ),
    *(Rule(f"identity:{name}", ADMIN_OR_SYSTEM_READER, about, ANY_SCOPE) for name, about in _READ.items()),
    *(Rule(f"identity:{name}", ADMIN, about, ANY_SCOPE) for name, about in _WRITE.items()),
)
