"""Volumes of a server: none, in a cloud without a volume service."""

from pileus.compute.servers import queries
from pileus.compute.servers.models import Server
from pileus.kernel.errors import NotFound
from pileus.kernel.http.call import Call, Json
from pileus.kernel.http.routes import Route
from pileus.kernel.policy import Rule

VOLUMES = "os_compute_api:os-volumes-attachments"


def index(call: Call, server: Server) -> Json:
    return {"volumeAttachments": []}


def show(call: Call, server: Server, volume_id: str) -> Json:
    raise NotFound(f"Instance {server.id} is not attached to volume {volume_id}")


PATH = "/v2.1/servers/{server_id}/os-volume_attachments"
ROUTES = (
    Route("GET", PATH, index, f"{VOLUMES}:index", load=queries.find),
    Route("GET", f"{PATH}/{{volume_id}}", show, f"{VOLUMES}:show", load=queries.find),
)
RULES = (
    Rule(f"{VOLUMES}:index", "rule:reader_or_admin", "List a server's volumes"),
    Rule(f"{VOLUMES}:show", "rule:reader_or_admin", "Show a volume of a server"),
)
