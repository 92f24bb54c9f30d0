"""Reading role assignments across the cloud."""

from dataclasses import replace
from urllib.parse import urlencode

from pileus.identity import placement
from pileus.identity.assignments import listing
from pileus.identity.assignments.listing import Marker, Page, Wanted
from pileus.identity.assignments.models import SYSTEM
from pileus.identity.assignments.replies import ASSIGNMENTS
from pileus.identity.assignments.views import views
from pileus.identity.envelope import collection
from pileus.identity.listing import longest
from pileus.identity.placement import InDomain
from pileus.identity.projects.models import Project
from pileus.identity.roles import inference
from pileus.kernel.errors import BadRequest
from pileus.kernel.http.call import Call, Json
from pileus.kernel.http.listing import boolean
from pileus.kernel.http.routes import Route

_PATH = "/v3/role_assignments"
MOST = 1000  # lines of a page


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
    if target.own.domain_id is not None and not call.context.is_admin:
        wanted = replace(wanted, domain_id=target.own.domain_id)
    if wanted.effective and wanted.actor_kind == "group":
        raise BadRequest("group.id and effective can not be asked for together: what is effective belongs to users.")
    graph = inference.load(call.db)
    limit, after = _place(call)
    page = listing.page(call.db, graph, wanted, limit, after)
    found = views(call, page, graph, with_names=wanted.names)
    return collection(call, _PATH, "role_assignments", found, _following(call, page))


def _place(call: Call) -> tuple[int | None, Marker | None]:
    """`limit` and `marker`."""
    limit, marker = call.query_value("limit"), call.query_value("marker")
    if limit is not None and not (limit.isascii() and limit.isdecimal() and len(limit) < 10):
        raise BadRequest(f"limit must be an integer that is not negative, not {limit!r}")
    try:
        return (min(int(limit), MOST) if limit is not None else longest(call)), (
            Marker.read(marker) if marker else None
        )
    except ValueError:
        raise BadRequest(
            f"marker [{marker}] not found: it is the one in a page's links.next", kind="MarkerNotFound"
        ) from None


def _following(call: Call, page: Page) -> str | None:
    if page.following is None:
        return None
    rest = [(name, value) for name, value in call.query if name != "marker"]
    return call.url(_PATH) + "?" + urlencode([*rest, ("marker", str(page.following))])


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
    wanted = Wanted(
        role_id=call.query_value("role.id"),
        below=below,
        inherited=True if inherited else None,
        effective=_flag(call, "effective"),
        names=_flag(call, "include_names"),
    )
    for kind, identifier in actors:
        wanted = replace(wanted, actor_kind=kind, actor_id=identifier)
    for kind, identifier in targets:
        wanted = replace(wanted, target_kind=kind, target_id=identifier)
    return wanted


def _flag(call: Call, name: str) -> bool:
    """True for `?name`, `?name=true`; false for `?name=0`."""
    value = call.query_value(name)
    return value is not None and (value == "" or boolean(value))


_FILTERS = (
    "user.id",
    "group.id",
    "role.id",
    "scope.project.id",
    "scope.domain.id",
    "scope.system",
    "scope.OS-INHERIT:inherited_to",
    "effective",
    "include_names",
    "include_subtree",
    "limit",
    "marker",
)
ROUTES = (
    Route(
        "GET",
        _PATH,
        index,
        "identity:list_role_assignments",
        load=asked,
        reply=ASSIGNMENTS,
        query=_FILTERS,
    ),
)
