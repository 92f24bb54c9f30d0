"""OS-EP-FILTER: groups of endpoints, and the projects that are shown them."""

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import Select, select

from pileus.identity.catalog import replies, shown
from pileus.identity.catalog.endpoints import ENDPOINTS
from pileus.identity.catalog.models import Endpoint, EndpointGroup, ProjectEndpointGroup
from pileus.identity.catalog.queries import matches
from pileus.identity.catalog.schemas import GroupFilters, NewGroupBody, UpdatedGroupBody
from pileus.identity.catalog.shown import Shown
from pileus.identity.catalog.views import group_view
from pileus.identity.envelope import collection
from pileus.identity.filters import names
from pileus.identity.lookup import find
from pileus.identity.projects import listing
from pileus.identity.projects import views as project_views
from pileus.identity.projects.models import Project
from pileus.identity.projects.replies import PROJECT, PROJECTS
from pileus.kernel.errors import BadRequest
from pileus.kernel.http.call import Call, Json
from pileus.kernel.http.listing import Listing
from pileus.kernel.http.routes import Route

BASE = "/v3/OS-EP-FILTER"
GROUPS = Listing(
    model=EndpointGroup,
    key=EndpointGroup.id,
    filters=names("name", EndpointGroup.name),
    sort={"name": EndpointGroup.name, "id": EndpointGroup.id},
    default_sort=(("name", "asc"),),
    always_limited=False,
)


def group(call: Call, endpoint_group_id: str) -> EndpointGroup:
    return find(call, EndpointGroup, endpoint_group_id, "Endpoint group")


def both(call: Call, endpoint_group_id: str, project_id: str) -> Shown:
    project = find(call, Project, project_id, "Project")
    row = ProjectEndpointGroup(project_id=project.id, endpoint_group_id=group(call, endpoint_group_id).id)
    return Shown(project, row)


def of_path(call: Call, project_id: str) -> Project:
    return find(call, Project, project_id, "Project")


def index(call: Call) -> Json:
    return _listed(call, select(EndpointGroup), f"{BASE}/endpoint_groups")


def of_project(call: Call, project: Project) -> Json:
    query = (
        select(EndpointGroup)
        .join(ProjectEndpointGroup, ProjectEndpointGroup.endpoint_group_id == EndpointGroup.id)
        .where(ProjectEndpointGroup.project_id == project.id)
    )
    return _listed(call, query, f"{BASE}/projects/{project.id}/endpoint_groups")


def _listed(call: Call, query: Select[EndpointGroup], path: str) -> Json:
    page = GROUPS.page(call, query)
    rows = [group_view(call, row) for row in page.items]
    return collection(call, path, "endpoint_groups", rows, GROUPS.next_link(call, page, path))


def create(call: Call, body: NewGroupBody) -> Json:
    given = body.endpoint_group
    if not (filters := _given(given.filters)):
        raise BadRequest("An endpoint group needs one filter at least: service_id, region_id, interface or enabled.")
    made = EndpointGroup(name=given.name, description=given.description, filters=filters)
    call.db.add(made)
    call.db.flush()
    return {"endpoint_group": group_view(call, made)}


def show(call: Call, target: EndpointGroup) -> Json:
    return {"endpoint_group": group_view(call, target)}


def update(call: Call, target: EndpointGroup, body: UpdatedGroupBody) -> Json:
    """What is null stays as it is. New filters take the place of all old ones; without any, every endpoint is in the group."""
    given = body.endpoint_group
    target.name = target.name if given.name is None else given.name
    target.description = target.description if given.description is None else given.description
    if given.filters is not None:
        target.filters = _given(given.filters)
    return {"endpoint_group": group_view(call, target)}


def _given(filters: GroupFilters) -> dict[str, Any]:
    """Those that are not null."""
    return {name: value for name, value in msgspec.to_builtins(filters).items() if value is not None}


def destroy(call: Call, target: EndpointGroup) -> None:
    call.db.delete(target)


def endpoints_of(call: Call, groups: Sequence[EndpointGroup]) -> list[Endpoint]:
    """The endpoints that are in any of the groups."""
    every = ENDPOINTS.all(call.cloud, call.db) if groups else []
    return [endpoint for endpoint in every if any(matches(endpoint, group.filters) for group in groups)]


def endpoints(call: Call, target: EndpointGroup) -> Json:
    return ENDPOINTS.listed(call, endpoints_of(call, [target]), f"{BASE}/endpoint_groups/{target.id}/endpoints")


def projects(call: Call, target: EndpointGroup) -> Json:
    query = (
        select(Project)
        .join(ProjectEndpointGroup, ProjectEndpointGroup.project_id == Project.id)
        .where(ProjectEndpointGroup.endpoint_group_id == target.id)
    )
    return projects_listed(call, query, f"{BASE}/endpoint_groups/{target.id}/projects")


def projects_listed(call: Call, query: Select[Project], path: str) -> Json:
    page = listing.PROJECTS.page(call, query)
    rows = project_views.views(call, page.items)
    return collection(call, path, "projects", rows, listing.PROJECTS.next_link(call, page, path))


def show_project(call: Call, target: Shown) -> Json:
    shown.check(call, target)
    [body] = project_views.views(call, [target.project])
    return {"project": body}


_EVERY, _ONE = f"{BASE}/endpoint_groups", f"{BASE}/endpoint_groups/{{endpoint_group_id}}"
_IN = f"{_ONE}/projects/{{project_id}}"
ROUTES = (
    Route("GET", _EVERY, index, "identity:list_endpoint_groups", reply=replies.GROUPS, query=GROUPS),
    Route("POST", _EVERY, create, "identity:create_endpoint_group", status=201, reply=replies.GROUP),
    Route("GET", _ONE, show, "identity:get_endpoint_group", load=group, reply=replies.GROUP),
    Route("PATCH", _ONE, update, "identity:update_endpoint_group", load=group, reply=replies.GROUP),
    Route("DELETE", _ONE, destroy, "identity:delete_endpoint_group", load=group, status=204),
    Route(
        "GET",
        f"{_ONE}/endpoints",
        endpoints,
        "identity:list_endpoints_associated_with_endpoint_group",
        load=group,
        reply=replies.MANY["endpoint"],
    ),
    Route(
        "GET",
        f"{_ONE}/projects",
        projects,
        "identity:list_projects_associated_with_endpoint_group",
        load=group,
        reply=PROJECTS,
    ),
    Route("GET", _IN, show_project, "identity:get_endpoint_group_in_project", load=both, reply=PROJECT),
    Route("PUT", _IN, shown.add, "identity:add_endpoint_group_to_project", load=both, status=204),
    Route("DELETE", _IN, shown.remove, "identity:remove_endpoint_group_from_project", load=both, status=204),
    Route(
        "GET",
        f"{BASE}/projects/{{project_id}}/endpoint_groups",
        of_project,
        "identity:list_endpoint_groups_for_project",
        load=of_path,
        reply=replies.GROUPS,
    ),
)
