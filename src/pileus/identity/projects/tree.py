"""The families of a project: `?parents_as_list`, `?subtree_as_ids` and the like; `?include_limits` with the lists."""

from collections.abc import Sequence

from pileus.identity.limits.views import of_projects as limits_of
from pileus.identity.projects import queries
from pileus.identity.projects.models import Project
from pileus.identity.projects.views import views
from pileus.kernel.errors import BadRequest
from pileus.kernel.http.call import Call, Json


def add_family(call: Call, project: Project, body: Json) -> None:
    """Add what the request's query asks for to the project's JSON. Lists hold only projects in which the caller has a role."""
    asked = {name for name, _ in call.query}
    for family in ("parents", "subtree"):
        if {f"{family}_as_list", f"{family}_as_ids"} <= asked:
            raise BadRequest(f"{family}_as_list and {family}_as_ids can not be asked for together.")
    if "parents_as_list" in asked:
        body["parents"] = _visible(call, queries.ancestors(call.db, project))
    if "subtree_as_list" in asked:
        body["subtree"] = _visible(call, queries.descendants(call.db, project))
    if "parents_as_ids" in asked:
        body["parents"] = _nest_up(queries.ancestors(call.db, project))
    if "subtree_as_ids" in asked:
        body["subtree"] = _nest_down(queries.descendants(call.db, project), project.id)


def _visible(call: Call, projects: Sequence[Project]) -> list[Json]:
    mine = {mine.id for mine in call.db.scalars(queries.with_roles(str(call.context.user_id)))}
    bodies = views(call, [p for p in projects if p.id in mine])
    if call.query_value("include_limits") is not None:
        limits = limits_of(call, [body["id"] for body in bodies])
        bodies = [body | {"limits": limits[body["id"]]} for body in bodies]
    return [{"project": body} for body in bodies]


def _nest_up(ancestors: Sequence[Project]) -> Json | None:
    nested: Json | None = None
    for ancestor in reversed(ancestors):
        nested = {ancestor.id: nested}
    return nested


def _nest_down(below: Sequence[Project], parent_id: str) -> Json | None:
    children = [child for child in below if child.parent_id == parent_id]
    return {child.id: _nest_down(below, child.id) for child in children} or None
