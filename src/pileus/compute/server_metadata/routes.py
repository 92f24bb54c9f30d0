"""Metadata of a server: words that its owner keeps with it, and that the guest reads from the metadata service."""

from pileus.compute.quota_sets.limits import limits_of
from pileus.compute.servers import queries
from pileus.compute.servers.actions import refuse_locked
from pileus.compute.servers.models import Server
from pileus.compute.servers.schemas import MetadataBody, MetadataItemBody
from pileus.kernel.errors import BadRequest, NotFound, OverQuota
from pileus.kernel.http.call import Call, Json
from pileus.kernel.http.routes import Route

METADATA = "os_compute_api:server-metadata"


def index(call: Call, server: Server) -> Json:
    return {"metadata": server.meta}


def show(call: Call, server: Server, key: str) -> Json:
    return {"meta": {key: _held(server, key)}}


def create(call: Call, server: Server, body: MetadataBody) -> Json:
    return {"metadata": _write(call, server, {**server.meta, **body.metadata})}


def replace(call: Call, server: Server, body: MetadataBody) -> Json:
    return {"metadata": _write(call, server, body.metadata)}


def update(call: Call, server: Server, key: str, body: MetadataItemBody) -> Json:
    if len(body.meta) != 1:
        raise BadRequest("Request body contains too many items" if body.meta else "Request body contains no item")
    if key not in body.meta:
        raise BadRequest("Request body and URI mismatch")
    _write(call, server, {**server.meta, **body.meta})
    return {"meta": body.meta}


def delete(call: Call, server: Server, key: str) -> None:
    _held(server, key)
    _write(call, server, {name: value for name, value in server.meta.items() if name != key})


def _held(server: Server, key: str) -> str:
    if key not in server.meta:
        raise NotFound("Metadata item was not found")
    return server.meta[key]


def _write(call: Call, server: Server, wanted: dict[str, str]) -> dict[str, str]:
    refuse_locked(call, server)
    limit = limits_of(call, server.project_id)["metadata_items"]
    if 0 <= limit < len(wanted) and len(wanted) > len(server.meta):
        raise OverQuota(f"Maximum number of metadata items exceeds {limit}")
    server.meta = wanted
    return wanted


M = "/v2.1/servers/{server_id}/metadata"
ROUTES = (
    Route("GET", M, index, f"{METADATA}:index", load=queries.find),
    Route("POST", M, create, f"{METADATA}:create", load=queries.find),
    Route("PUT", M, replace, f"{METADATA}:update_all", load=queries.find),
    Route("GET", f"{M}/{{key}}", show, f"{METADATA}:show", load=queries.find),
    Route("PUT", f"{M}/{{key}}", update, f"{METADATA}:update", load=queries.find),
    Route("DELETE", f"{M}/{{key}}", delete, f"{METADATA}:delete", load=queries.find, status=204),
)
