"""Usage of projects: the table, the rules and thin handlers."""

from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import urlencode

from sqlalchemy import Select, select

from pileus.compute.paging import limit_of
from pileus.compute.servers.models import Server
from pileus.compute.strictness import PAGING, refuse_unknown
from pileus.compute.usage.report import Period, of_project, period_of
from pileus.kernel.errors import BadRequest
from pileus.kernel.http.call import Call, Json
from pileus.kernel.http.listing import boolean
from pileus.kernel.http.routes import Route
from pileus.kernel.policy import Rule

USAGE = "os_compute_api:os-simple-tenant-usage"
PATH = "/v2.1/os-simple-tenant-usage"


class Tenant(NamedTuple):
    """The project of the path, as a policy target."""

    project_id: str


def of_path(call: Call, tenant_id: str) -> Tenant:
    return Tenant(tenant_id)


def index(call: Call) -> Json:
    refuse_unknown(call, ("start", "end", "detailed", *PAGING))
    period, detailed = period_of(call), boolean(call.query_value("detailed") or "0")
    servers, more = _page(call, select(Server), period)
    by_project: dict[str, list[Server]] = {}
    for server in servers:
        by_project.setdefault(server.project_id, []).append(server)
    usages = [of_project(project, held, period, detailed=detailed) for project, held in by_project.items()]
    return {"tenant_usages": usages} | _links(call, "tenant_usages_links", PATH, servers, more)


def show(call: Call, tenant: Tenant) -> Json:
    """An empty object for a project that used nothing."""
    refuse_unknown(call, ("start", "end", *PAGING))
    period = period_of(call)
    servers, more = _page(call, select(Server).where(Server.project_id == tenant.project_id), period)
    usage = of_project(tenant.project_id, servers, period, detailed=True) if servers else {}
    path = f"{PATH}/{tenant.project_id}"
    return {"tenant_usage": usage} | _links(call, "tenant_usage_links", path, servers, more)


def _page(call: Call, query: Select[Server], period: Period) -> tuple[Sequence[Server], bool]:
    """Servers that lived in the period, by project. Pages, with a server's id as marker, from 2.40 on."""
    query = query.where(Server.launched_at.is_not(None), Server.launched_at < period.stop)
    query = query.order_by(Server.project_id, Server.id)
    if not call.at_least(2, 40):
        return list(call.db.scalars(query)), False
    marker = call.query_value("marker")
    if marker is not None:
        last = call.db.scalar(query.where(Server.id == marker))
        if last is None:
            raise BadRequest(f"marker [{marker}] not found")
        same = (Server.project_id == last.project_id) & (Server.id > last.id)
        query = query.where((Server.project_id > last.project_id) | same)
    limit = limit_of(call)
    rows = list(call.db.scalars(query.limit(limit + 1)))
    return rows[:limit], len(rows) > limit


def _links(call: Call, name: str, path: str, servers: Sequence[Server], more: bool) -> Json:
    if not more or not servers:
        return {}
    rest = [(key, value) for key, value in call.query if key != "marker"]
    return {name: [{"rel": "next", "href": call.url(path) + "?" + urlencode([*rest, ("marker", servers[-1].id)])}]}


ROUTES = (
    Route("GET", PATH, index, f"{USAGE}:list"),
    Route("GET", f"{PATH}/{{tenant_id}}", show, f"{USAGE}:show", load=of_path),
)
RULES = (
    Rule(f"{USAGE}:list", "rule:admin_required", "Show the usage of all projects"),
    Rule(f"{USAGE}:show", "rule:reader_or_admin", "Show a project's usage"),
)
