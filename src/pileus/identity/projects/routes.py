"""Projects: what everything in a cloud belongs to."""

from sqlalchemy import select

from pileus.identity import options, placement
from pileus.identity.envelope import collection, extras
from pileus.identity.limits import enforcement
from pileus.identity.lookup import find
from pileus.identity.placement import InDomain
from pileus.identity.projects import actions, queries, replies
from pileus.identity.projects.listing import PROJECTS
from pileus.identity.projects.models import Project
from pileus.identity.projects.schemas import NewProject, NewProjectBody, ProjectChange, ProjectChangeBody
from pileus.identity.projects.tree import add_family
from pileus.identity.projects.views import view, views
from pileus.identity.seeds import DEFAULT_DOMAIN
from pileus.identity.tokens import revocation
from pileus.kernel.errors import BadRequest
from pileus.kernel.http.call import Call, Json
from pileus.kernel.http.routes import Route


def project(call: Call, project_id: str) -> Project:
    return find(call, Project, project_id, "Project")


def new_project(call: Call) -> InDomain:
    """A new project is in its parent's domain, or in the one that the body or the token names."""
    given = call.body["project"]
    if given.get("is_domain"):
        return InDomain("target.project.domain_id", None)
    parent = call.db.get(Project, given["parent_id"]) if given.get("parent_id") else None
    of_parent = (parent.id if parent.is_domain else parent.domain_id) if parent else None
    chosen = of_parent or given.get("domain_id") or call.context.domain_id or DEFAULT_DOMAIN
    return InDomain("target.project.domain_id", chosen)


def index(call: Call, target: InDomain) -> Json:
    query = select(Project)
    if call.query_value("is_domain") is None:
        query = query.where(Project.is_domain.is_(False))
    if target.domain_id is not None:
        query = query.where(Project.domain_id == target.domain_id)
    page = PROJECTS.page(call, query)
    link = PROJECTS.next_link(call, page, "/v3/projects")
    return collection(call, "/v3/projects", "projects", views(call, page.items), link)


def create(call: Call, target: InDomain, body: NewProjectBody) -> Json:
    given = body.project
    made, parent = _place(call, target, given)
    made.options = options.merged({}, given.options)
    made.extra = extras(call.body["project"], NewProject)
    actions.add(call.db, made, parent, enforcement.of(call.cloud).levels or actions.DEEPEST)
    actions.set_tags(call.db, made, given.tags)
    return {"project": view(call, made, sorted(set(given.tags)))}


def _place(call: Call, target: InDomain, given: NewProject) -> tuple[Project, Project | None]:
    if given.is_domain:
        if given.domain_id or given.parent_id:
            raise BadRequest("A project that acts as a domain has neither domain_id nor parent_id.")
        return actions.new_domain(given.name, description=given.description or "", enabled=given.enabled), None
    domain = placement.existing_domain(call, str(target.domain_id))
    if given.domain_id and given.domain_id != domain.id:
        raise BadRequest(f"The parent is in domain {domain.id}, not in {given.domain_id}.")
    parent = call.db.get(Project, given.parent_id) if given.parent_id else domain
    if parent is None:
        raise BadRequest(f"Parent {given.parent_id} could not be found.")
    made = Project(
        domain_id=domain.id,
        parent_id=parent.id,
        name=given.name,
        description=given.description or "",
        enabled=given.enabled,
    )
    return made, parent


def show(call: Call, target: Project) -> Json:
    body = view(call, target, queries.tags(call.db, [target.id])[target.id])
    add_family(call, target, body)
    return {"project": body}


def update(call: Call, target: Project, body: ProjectChangeBody) -> Json:
    actions.check_fixed(target, body.project)
    actions.change(call.db, target, body.project, extras(call.body["project"], ProjectChange))
    if isinstance(body.project.tags, list):
        actions.set_tags(call.db, target, body.project.tags)
    call.db.flush()
    revocation.look_again(call)
    return {"project": view(call, target, queries.tags(call.db, [target.id])[target.id])}


def destroy(call: Call, target: Project) -> None:
    (actions.remove_domain if target.is_domain else actions.remove)(call.db, target)
    revocation.look_again(call)


ROUTES = (
    Route(
        "GET",
        "/v3/projects",
        index,
        "identity:list_projects",
        load=placement.listing,
        reply=replies.PROJECTS,
        query=PROJECTS,
    ),
    Route(
        "POST", "/v3/projects", create, "identity:create_project", load=new_project, status=201, reply=replies.PROJECT
    ),
    Route("GET", "/v3/projects/{project_id}", show, "identity:get_project", load=project, reply=replies.PROJECT),
    Route("PATCH", "/v3/projects/{project_id}", update, "identity:update_project", load=project, reply=replies.PROJECT),
    Route("DELETE", "/v3/projects/{project_id}", destroy, "identity:delete_project", load=project, status=204),
)
