"""Migrations: none is recorded, as servers do not move between hosts in this cloud."""

from pileus.compute.servers import queries
from pileus.compute.servers.models import Server
from pileus.compute.strictness import PAGING, refuse_unknown
from pileus.kernel.errors import NotFound
from pileus.kernel.http.call import Call, Json
from pileus.kernel.http.routes import Route
from pileus.kernel.policy import Rule

KNOWN = (
    *PAGING,
    "hidden",
    "host",
    "instance_uuid",
    "source_compute",
    "status",
    "migration_type",
    "changes-since",
    "changes-before",
    "user_id",
    "project_id",
)
OF_SERVER = "os_compute_api:servers:migrations"


def index(call: Call) -> Json:
    refuse_unknown(call, KNOWN, since=(2, 59))
    return {"migrations": []}


def of_server(call: Call, server: Server) -> Json:
    return {"migrations": []}


def show(call: Call, server: Server, migration_id: str) -> Json:
    raise NotFound(f"Migration {migration_id} not found for instance {server.id}")


M = "/v2.1/servers/{server_id}/migrations"
ROUTES = (
    Route("GET", "/v2.1/os-migrations", index, "os_compute_api:os-migrations:index"),
    Route("GET", M, of_server, f"{OF_SERVER}:index", load=queries.find, since="2.23"),
    Route("GET", f"{M}/{{migration_id}}", show, f"{OF_SERVER}:show", load=queries.find, since="2.23"),
)
RULES = (
    Rule("os_compute_api:os-migrations:index", "rule:admin_required", "List migrations"),
    Rule(f"{OF_SERVER}:index", "rule:admin_required", "List a server's migrations in progress"),
    Rule(f"{OF_SERVER}:show", "rule:admin_required", "Show a migration in progress of a server"),
)
