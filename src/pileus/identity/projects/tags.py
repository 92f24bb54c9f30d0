"""Tags of a project."""

from urllib.parse import unquote

from pileus.identity.envelope import links
from pileus.identity.projects import actions, queries
from pileus.identity.projects.models import Project, ProjectTag
from pileus.identity.projects.replies import TagsReply
from pileus.identity.projects.routes import project
from pileus.identity.projects.schemas import TagsBody
from pileus.kernel.errors import BadRequest, NotFound
from pileus.kernel.http.call import Call, Json, Reply
from pileus.kernel.http.routes import Route

MOST = 80


def index(call: Call, target: Project) -> Json:
    return _view(call, target, queries.tags(call.db, [target.id])[target.id])


def replace(call: Call, target: Project, body: TagsBody) -> Json:
    actions.set_tags(call.db, target, body.tags)
    return _view(call, target, sorted(set(body.tags)))


def clear(call: Call, target: Project) -> None:
    actions.set_tags(call.db, target, [])


def show(call: Call, target: Project, value: str) -> None:
    _find(call, target, value)


def add(call: Call, target: Project, value: str) -> Reply:
    name = unquote(value)
    if not name or len(name) > 255 or "," in name or "/" in name:
        raise BadRequest("A tag has 1 to 255 characters, without commas and slashes.")
    if len({*queries.tags(call.db, [target.id])[target.id], name}) > MOST:
        raise BadRequest(f"A project can have {MOST} tags.")
    call.db.merge(ProjectTag(project_id=target.id, name=name))
    return Reply(headers={"location": call.url(f"/v3/projects/{target.id}/tags/{value}")})


def remove(call: Call, target: Project, value: str) -> None:
    call.db.delete(_find(call, target, value))


def _find(call: Call, target: Project, value: str) -> ProjectTag:
    tag = call.db.get(ProjectTag, (target.id, unquote(value)))
    if tag is None:
        raise NotFound(f"Project {target.id} has no tag {value!r}.")
    return tag


def _view(call: Call, target: Project, tags: list[str]) -> Json:
    return {"tags": tags, "links": links(call, f"/v3/projects/{target.id}/tags")}


_ALL = "/v3/projects/{project_id}/tags"
_ONE = "/v3/projects/{project_id}/tags/{value}"
ROUTES = (
    Route("GET", _ALL, index, "identity:list_project_tags", load=project, reply=TagsReply),
    Route("PUT", _ALL, replace, "identity:update_project_tags", load=project, reply=TagsReply),
    Route("DELETE", _ALL, clear, "identity:delete_project_tags", load=project, status=204),
    Route("GET", _ONE, show, "identity:get_project_tag", load=project, status=204),
    Route("PUT", _ONE, add, "identity:create_project_tag", load=project, status=201),
    Route("DELETE", _ONE, remove, "identity:delete_project_tag", load=project, status=204),
)
