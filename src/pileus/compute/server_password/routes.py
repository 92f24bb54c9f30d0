"""The encrypted password that a guest posted of itself to the metadata service."""

from pileus.compute.servers import queries
from pileus.compute.servers.models import Server
from pileus.kernel.http.call import Call, Json
from pileus.kernel.http.routes import Route
from pileus.kernel.policy import Rule

RULE = "os_compute_api:os-server-password"


def show(call: Call, server: Server) -> Json:
    return {"password": server.password_data or ""}


def clear(call: Call, server: Server) -> None:
    """Forgets what the cloud holds; the guest's own password stays."""
    server.password_data = None


PATH = "/v2.1/servers/{server_id}/os-server-password"
ROUTES = (
    Route("GET", PATH, show, f"{RULE}:show", load=queries.find),
    Route("DELETE", PATH, clear, f"{RULE}:clear", load=queries.find, status=204),
)
RULES = (
    Rule(f"{RULE}:show", "rule:reader_or_admin", "Show a server's encrypted password"),
    Rule(f"{RULE}:clear", "rule:member_or_admin", "Forget a server's encrypted password"),
)
