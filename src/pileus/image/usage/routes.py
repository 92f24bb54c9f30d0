"""/v2/info/usage: what the caller's project has, and how much it may."""

from pileus.image.usage import quotas
from pileus.kernel.errors import BadRequest
from pileus.kernel.http.call import Call, Json
from pileus.kernel.http.routes import Route


def show(call: Call) -> Json:
    project = call.context.project_id
    if project is None:
        raise BadRequest("Usage is a project's: use a token with a project as its scope.")
    limits = quotas.bounds(call.cloud, call.db, project)[0].limits
    used = quotas.usage(call.db, [project])
    return {"usage": {name: {"limit": limit, "usage": used[name]} for name, limit in limits.items()}}


ROUTES = (Route("GET", "/v2/info/usage", show, "get_images"),)
