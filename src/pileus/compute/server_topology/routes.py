"""NUMA topology of a server (2.78): the cells that it was given; none where it floats over its host."""

from pileus.compute.server_topology import views
from pileus.compute.servers import queries
from pileus.compute.servers.models import Server
from pileus.compute.strictness import refuse_unknown
from pileus.compute.topology import claims, layout
from pileus.kernel.http.call import Call, Json
from pileus.kernel.http.routes import Route
from pileus.kernel.policy import Rule

TOPOLOGY = "compute:server:topology:index"
ON_HOST = "compute:server:topology:host:index"


def show(call: Call, server: Server) -> Json:
    refuse_unknown(call)
    hardware = claims.of_servers(call.db, [server.id]).get(server.id)
    cells = len(hardware.cells) if hardware else 0
    seen = layout.kept(server.flavor, server.image.get("properties", {}), cells)
    return views.topology(hardware, seen.threads if seen else 1, with_host=call.allows(ON_HOST))


ROUTES = (Route("GET", "/v2.1/servers/{server_id}/topology", show, TOPOLOGY, load=queries.find, since="2.78"),)
RULES = (
    Rule(TOPOLOGY, "rule:reader_or_admin", "Show a server's NUMA topology"),
    Rule(ON_HOST, "rule:admin_required", "See which cells and CPUs of its host a server has"),
)
