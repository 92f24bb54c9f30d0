"""Hypervisors: the table, the rules and thin handlers."""

from sqlalchemy import select

from pileus.compute.hosts.models import Host
from pileus.compute.hypervisors import queries, usage, views
from pileus.compute.hypervisors.usage import Usage
from pileus.compute.strictness import PAGING, refuse_unknown
from pileus.kernel.errors import BadRequest, NotImplementedHere
from pileus.kernel.http.call import Call, Json
from pileus.kernel.http.listing import Page, boolean
from pileus.kernel.http.routes import Route
from pileus.kernel.policy import Rule

HYPERVISORS = "os_compute_api:os-hypervisors"
LIST = "/v2.1/os-hypervisors"
KNOWN = (*PAGING, "hypervisor_hostname_pattern", "with_servers")


def index(call: Call) -> Json:
    page = _page(call)
    return _listed(call, page, [views.brief(call, host) for host in page.items], LIST)


def detail(call: Call) -> Json:
    page, used = _page(call), usage.of_hosts(call.db)
    shown = [views.detail(call, host, used.get(host.id, Usage())) for host in page.items]
    return _listed(call, page, shown, f"{LIST}/detail")


def _page(call: Call) -> Page[Host]:
    refuse_unknown(call, KNOWN, since=(2, 53))
    return queries.page(call)


def _listed(call: Call, page: Page[Host], shown: list[Json], path: str) -> Json:
    if _wants_servers(call):
        views.with_servers(call, page.items, shown, always=call.at_least(2, 75))
    link = queries.HOSTS.next_link(call, page, path)
    return {"hypervisors": shown} | ({"hypervisors_links": [{"rel": "next", "href": link}]} if link else {})


def _wants_servers(call: Call) -> bool:
    text = call.query_value("with_servers")
    return call.at_least(2, 53) and text is not None and boolean(text)


def show(call: Call, host: Host) -> Json:
    refuse_unknown(call, ("with_servers",), since=(2, 53))
    shown = views.detail(call, host, usage.of_hosts(call.db).get(host.id, Usage()))
    if _wants_servers(call):
        views.with_servers(call, [host], [shown], always=call.at_least(2, 75))
    return {"hypervisor": shown}


def statistics(call: Call) -> Json:
    used, total = usage.of_hosts(call.db), dict.fromkeys(usage.NAMES, 0)
    hosts = [host for host in call.db.scalars(select(Host)) if not host.disabled]
    for host in hosts:
        for name, value in usage.numbers(host, used.get(host.id, Usage())).items():
            total[name] += value
    return {"hypervisor_statistics": total | {"count": len(hosts)}}


def uptime(call: Call, host: Host) -> Json:
    if not host.up:
        raise BadRequest(f"Compute service of {host.name} is unavailable at this time.")
    if host.uptime is None:
        raise NotImplementedHere(f"{host.name} has not reported its uptime.")
    return {"hypervisor": views.brief(call, host) | {"uptime": host.uptime}}


def search(call: Call, pattern: str) -> Json:
    return {"hypervisors": [views.brief(call, host) for host in queries.matching(call, pattern)]}


def servers(call: Call, pattern: str) -> Json:
    hosts = queries.matching(call, pattern)
    shown = [views.brief(call, host) for host in hosts]
    return {"hypervisors": views.with_servers(call, hosts, shown, always=False)}


H = f"{LIST}/{{hypervisor_id}}"
ROUTES = (
    Route("GET", LIST, index, f"{HYPERVISORS}:list"),
    Route("GET", f"{LIST}/detail", detail, f"{HYPERVISORS}:list-detail"),
    Route("GET", f"{LIST}/statistics", statistics, f"{HYPERVISORS}:statistics", until="2.87"),
    Route("GET", H, show, f"{HYPERVISORS}:show", load=queries.find),
    Route("GET", f"{H}/uptime", uptime, f"{HYPERVISORS}:uptime", load=queries.find, until="2.87"),
    Route("GET", f"{LIST}/{{pattern}}/search", search, f"{HYPERVISORS}:search", until="2.52"),
    Route("GET", f"{LIST}/{{pattern}}/servers", servers, f"{HYPERVISORS}:servers", until="2.52"),
)
DOES = {
    "list": "List hypervisors",
    "list-detail": "List hypervisors with details",
    "statistics": "Show what all hypervisors have and use",
    "show": "Show a hypervisor",
    "uptime": "Show how long a hypervisor runs",
    "search": "Find hypervisors by name",
    "servers": "List the servers of hypervisors",
}
RULES = tuple(Rule(f"{HYPERVISORS}:{name}", "rule:admin_required", what) for name, what in DOES.items())
