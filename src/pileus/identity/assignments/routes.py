"""Reading role assignments across the cloud."""

from dataclasses import replace

from pileus.identity import placement
from pileus.identity.assignments import listing
from pileus.identity.assignments.listing import Line, Wanted
from pileus.identity.assignments.models import SYSTEM
from pileus.identity.assignments.views import views
from pileus.identity.envelope import collection
from pileus.identity.placement import InDomain
from pileus.identity.projects.models import Project
from pileus.kernel.errors import BadRequest
from pileus.kernel.http.call import Call, Json
from pileus.kernel.http.listing import boolean
from pileus.kernel.http.routes import Route


class Asked:
    """The domain that a list is about: the token's own, and with `include_subtree` that of the project asked for."""

    def __init__(self, own: InDomain, project: Project | None) -> None:
        self.own = own
        self.project = project

    def policy_target(self) -> dict[str, object]:
        return {**self.own.policy_target(), **(self.project.policy_target() if self.project is not None else {})}


def asked(call: Call) -> Asked:
    own = placement.listing(call)
    project_id = call.query_value("scope.project.id")
    return Asked(own, call.db.get(Project, project_id) if project_id and _flag(call, "include_subtree") else None)


def index(call: Call, target: Asked) -> Json:
    if target.project is not None:
        call.enforce("identity:list_role_assignments_for_tree", target.policy_target())
    wanted = _wanted(call)
    if _flag(call, "effective"):
        if wanted.actor_kind == "group":
            raise BadRequest(
                "group.id and effective can not be asked for together: what is effective belongs to users."
            )
        lines = listing.effective(call.db, wanted)
    else:
        lines = listing.stored(call.db, wanted)
    if target.own.domain_id is not None and not call.context.is_admin:
        lines = [line for line in lines if _inside(call, line, target.own.domain_id)]
    lines.sort(key=lambda line: (line.target_id, line.actor_id, line.role_id))
    found = views(call, lines, with_names=_flag(call, "include_names"))
    return collection(call, "/v3/role_assignments", "role_assignments", found)


def _wanted(call: Call) -> Wanted:
    actors = [(kind, value) for kind in ("user", "group") if (value := call.query_value(f"{kind}.id"))]
    targets = [(kind, value) for kind in ("project", "domain") if (value := call.query_value(f"scope.{kind}.id"))]
    if call.query_value("scope.system") is not None:
        targets.append(("system", SYSTEM))
    if len(actors) > 1 or len(targets) > 1:
        raise BadRequest("Ask for one user or group, and for one project, domain or the system.")
    below = _flag(call, "include_subtree")
    if below and (not targets or targets[0][0] != "project"):
        raise BadRequest("include_subtree needs scope.project.id.")
    inherited = call.query_value("scope.OS-INHERIT:inherited_to")
    if inherited not in (None, "projects"):
        raise BadRequest("scope.OS-INHERIT:inherited_to can only be projects.")
    wanted = Wanted(role_id=call.query_value("role.id"), below=below, inherited=True if inherited else None)
    for kind, identifier in actors:
        wanted = replace(wanted, actor_kind=kind, actor_id=identifier)
    for kind, identifier in targets:
        wanted = replace(wanted, target_kind=kind, target_id=identifier)
    return wanted


def _inside(call: Call, line: Line, domain_id: str) -> bool:
    """Is the target in the domain? (A domain's reader sees what is given there, whoever has it.)"""
    where = call.db.get(Project, line.target_id)
    return where is not None and domain_id in (where.id, where.domain_id)


def _flag(call: Call, name: str) -> bool:
    """True for `?name`, `?name=true`; false for `?name=0`."""
    value = call.query_value(name)
    return value is not None and (value == "" or boolean(value))


ROUTES = (Route("GET", "/v3/role_assignments", index, "identity:list_role_assignments", load=asked),)
