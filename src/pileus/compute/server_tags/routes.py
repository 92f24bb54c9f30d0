"""Tags of a server: short words to find it by (microversion 2.26)."""

from urllib.parse import quote

import msgspec

from pileus.compute.servers import queries
from pileus.compute.servers.actions import refuse_locked
from pileus.compute.servers.models import Server, ServerTag
from pileus.compute.servers.schemas import Tag, TagsBody
from pileus.kernel.errors import BadRequest, NotFound
from pileus.kernel.http.call import Call, Json, Reply
from pileus.kernel.http.routes import Route

TAGS = "os_compute_api:os-server-tags"
MOST = 50


def index(call: Call, server: Server) -> Json:
    return {"tags": [held.tag for held in server.tags]}


def show(call: Call, server: Server, tag: str) -> Reply:
    _held(server, tag)
    return Reply(status=204)


def replace(call: Call, server: Server, body: TagsBody) -> Json:
    refuse_locked(call, server)
    wanted = sorted(set(body.tags))
    kept = {held.tag: held for held in server.tags}
    server.tags = [kept.get(tag) or ServerTag(tag=tag) for tag in wanted]
    return {"tags": wanted}


def add(call: Call, server: Server, tag: str) -> Reply:
    refuse_locked(call, server)
    try:
        msgspec.convert(tag, Tag)
    except msgspec.ValidationError as error:
        raise BadRequest(f"Invalid tag {tag!r}: {error}") from None
    place = {"location": call.url(f"/v2.1/servers/{server.id}/tags/{quote(tag)}")}
    if any(held.tag == tag for held in server.tags):
        return Reply(status=204, headers=place)
    if len(server.tags) >= MOST:
        raise BadRequest(f"The number of tags exceeded the per-server limit {MOST}")
    server.tags.append(ServerTag(tag=tag))
    return Reply(status=201, headers=place)


def remove(call: Call, server: Server, tag: str) -> None:
    refuse_locked(call, server)
    server.tags.remove(_held(server, tag))


def clear(call: Call, server: Server) -> None:
    refuse_locked(call, server)
    server.tags = []


def _held(server: Server, tag: str) -> ServerTag:
    held = next((held for held in server.tags if held.tag == tag), None)
    if held is None:
        raise NotFound(f"Instance {server.id} has no tag '{tag}'")
    return held


T = "/v2.1/servers/{server_id}/tags"
ROUTES = (
    Route("GET", T, index, f"{TAGS}:index", load=queries.find, since="2.26"),
    Route("PUT", T, replace, f"{TAGS}:update_all", load=queries.find, since="2.26"),
    Route("DELETE", T, clear, f"{TAGS}:delete_all", load=queries.find, since="2.26", status=204),
    Route("GET", f"{T}/{{tag}}", show, f"{TAGS}:show", load=queries.find, since="2.26"),
    Route("PUT", f"{T}/{{tag}}", add, f"{TAGS}:update", load=queries.find, since="2.26"),
    Route("DELETE", f"{T}/{{tag}}", remove, f"{TAGS}:delete", load=queries.find, since="2.26", status=204),
)
