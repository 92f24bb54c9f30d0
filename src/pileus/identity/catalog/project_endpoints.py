"""OS-EP-FILTER: which endpoints the catalog of a project shows."""

from sqlalchemy import or_, select

from pileus.identity.catalog import replies, shown
from pileus.identity.catalog.endpoint_groups import BASE, endpoints_of, of_path, projects_listed
from pileus.identity.catalog.endpoints import ENDPOINTS
from pileus.identity.catalog.models import Endpoint, EndpointGroup, ProjectEndpoint, ProjectEndpointGroup
from pileus.identity.catalog.queries import matches
from pileus.identity.catalog.shown import Shown
from pileus.identity.lookup import find
from pileus.identity.projects.models import Project
from pileus.identity.projects.replies import PROJECTS
from pileus.kernel.http.call import Call, Json
from pileus.kernel.http.routes import Route


def both(call: Call, project_id: str) -> Shown:
    endpoint, project = ENDPOINTS.named(call), find(call, Project, project_id, "Project")
    return Shown(project, ProjectEndpoint(project_id=project.id, endpoint_id=endpoint.id))


def endpoints(call: Call, project: Project) -> Json:
    """Its own and those of its groups."""
    own = set(call.db.scalars(select(ProjectEndpoint.endpoint_id).where(ProjectEndpoint.project_id == project.id)))
    in_project = ProjectEndpointGroup.endpoint_group_id == EndpointGroup.id
    groups = select(EndpointGroup).join(ProjectEndpointGroup, in_project)
    found = endpoints_of(call, call.db.scalars(groups.where(ProjectEndpointGroup.project_id == project.id)).all())
    ids = own | {endpoint.id for endpoint in found}
    every = ENDPOINTS.all(call.cloud, call.db) if ids else []
    rows = [endpoint for endpoint in every if endpoint.id in ids]
    return ENDPOINTS.listed(call, rows, f"{BASE}/projects/{project.id}/endpoints")


def projects(call: Call, endpoint: Endpoint) -> Json:
    """Those that were given it, or a group that it is in."""
    groups = [group.id for group in call.db.scalars(select(EndpointGroup)) if matches(endpoint, group.filters)]
    direct = select(ProjectEndpoint.project_id).where(ProjectEndpoint.endpoint_id == endpoint.id)
    grouped = select(ProjectEndpointGroup.project_id).where(ProjectEndpointGroup.endpoint_group_id.in_(groups))
    query = select(Project).where(or_(Project.id.in_(direct), Project.id.in_(grouped)))
    return projects_listed(call, query, f"{BASE}/endpoints/{endpoint.id}/projects")


_EVERY = f"{BASE}/projects/{{project_id}}/endpoints"
_ONE = f"{_EVERY}/{{endpoint_id}}"
ROUTES = (
    Route(
        "GET", _EVERY, endpoints, "identity:list_endpoints_for_project", load=of_path, reply=replies.MANY["endpoint"]
    ),
    Route("GET", _ONE, shown.check, "identity:check_endpoint_in_project", load=both, status=204),
    Route("PUT", _ONE, shown.add, "identity:add_endpoint_to_project", load=both, status=204),
    Route("DELETE", _ONE, shown.remove, "identity:remove_endpoint_from_project", load=both, status=204),
    Route(
        "GET",
        f"{BASE}/endpoints/{{endpoint_id}}/projects",
        projects,
        "identity:list_projects_for_endpoint",
        load=ENDPOINTS.named,
        reply=PROJECTS,
    ),
)
