"""Services: the table, the rules and the list."""

from pileus.compute.services import changes, queries
from pileus.compute.services.views import view
from pileus.compute.strictness import refuse_unknown
from pileus.kernel.http.call import Call, Json
from pileus.kernel.http.routes import Route
from pileus.kernel.policy import Rule

SERVICES = "os_compute_api:os-services"


def index(call: Call) -> Json:
    refuse_unknown(call, ("host", "binary"))
    found = queries.every(call.db, call.query_value("host"), call.query_value("binary"))
    return {"services": [view(call, service) for service in found]}


S = "/v2.1/os-services"
ROUTES = (
    Route("GET", S, index, f"{SERVICES}:list"),
    Route("PUT", f"{S}/enable", changes.enable, f"{SERVICES}:update", until="2.52"),
    Route("PUT", f"{S}/disable", changes.disable, f"{SERVICES}:update", until="2.52"),
    Route("PUT", f"{S}/disable-log-reason", changes.disable_with_reason, f"{SERVICES}:update", until="2.52"),
    Route("PUT", f"{S}/force-down", changes.force_down, f"{SERVICES}:update", since="2.11", until="2.52"),
    Route("PUT", f"{S}/{{service_id}}", changes.update, f"{SERVICES}:update", since="2.53"),
    Route("DELETE", f"{S}/{{service_id}}", changes.delete, f"{SERVICES}:delete", status=204),
)
RULES = (
    Rule(f"{SERVICES}:list", "rule:admin_required", "List services"),
    Rule(f"{SERVICES}:update", "rule:admin_required", "Enable, disable or force down a host"),
    Rule(f"{SERVICES}:delete", "rule:admin_required", "Remove a service that is gone"),
)
