"""Migrations: none is recorded, as servers do not move between hosts in this cloud."""

from pileus.compute.servers import queries
from pileus.compute.servers.models import Server
from pileus.compute.strictness import PAGING, refuse_unknown
from pileus.kernel.errors import NotFound
from pileus.kernel.http.call import Call, Json
from pileus.kernel.http.routes import Action, Route
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
    """And abort and force_complete, for want of one."""
    raise NotFound(f"Migration {migration_id} not found for instance {server.id}")


M = "/v2.1/servers/{server_id}/migrations"
VERBS = {"force_complete": Action(show, f"{OF_SERVER}:force_complete", since="2.22")}
ROUTES = (
    Route("GET", "/v2.1/os-migrations", index, "os_compute_api:os-migrations:index"),
    Route("GET", M, of_server, f"{OF_SERVER}:index", load=queries.find, since="2.23"),
    Route("GET", f"{M}/{{migration_id}}", show, f"{OF_SERVER}:show", load=queries.find, since="2.23"),
    Route("DELETE", f"{M}/{{migration_id}}", show, f"{OF_SERVER}:delete", load=queries.find, since="2.24", status=202),
    Route("POST", f"{M}/{{migration_id}}/action", load=queries.find, actions=VERBS),
)
RULES = (
    Rule("os_compute_api:os-migrations:index", "rule:admin_required", "List migrations"),
    Rule(f"{OF_SERVER}:index", "rule:admin_required", "List a server's migrations in progress"),
    Rule(f"{OF_SERVER}:show", "rule:admin_required", "Show a migration in progress of a server"),
    Rule(f"{OF_SERVER}:delete", "rule:admin_required", "Abort a migration in progress"),
    Rule(f"{OF_SERVER}:force_complete", "rule:admin_required", "Force a migration in progress to its end"),
)
