"""NUMA topology of a server (2.78): guests of this cloud have none that is theirs to know."""

from pileus.compute.servers import queries
from pileus.compute.servers.models import Server
from pileus.compute.strictness import refuse_unknown
from pileus.kernel.http.call import Call, Json
from pileus.kernel.http.routes import Route
from pileus.kernel.policy import Rule


def show(call: Call, server: Server) -> Json:
    refuse_unknown(call)
    return {"nodes": [], "pagesize_kb": None}


ROUTES = (
    Route(
        "GET",
        "/v2.1/servers/{server_id}/topology",
        show,
        "compute:server:topology:index",
        load=queries.find,
        since="2.78",
    ),
)
RULES = (Rule("compute:server:topology:index", "rule:reader_or_admin", "Show a server's NUMA topology"),)
