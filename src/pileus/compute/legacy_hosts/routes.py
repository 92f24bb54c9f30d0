"""os-hosts, which microversions to 2.42 know: another view of services and hypervisors."""

from collections.abc import Iterable

from sqlalchemy import select

from pileus.compute.hosts.models import Host
from pileus.compute.hypervisors import usage
from pileus.compute.hypervisors.usage import Usage
from pileus.compute.legacy_hosts.schemas import HostChange
from pileus.compute.servers.models import Server
from pileus.compute.services import queries
from pileus.kernel.errors import BadRequest, NotFound, NotImplementedHere
from pileus.kernel.http.call import Call, Json
from pileus.kernel.http.routes import Route
from pileus.kernel.http.schema import Unset
from pileus.kernel.policy import Rule

HOSTS = "os_compute_api:os-hosts"
LAST = "2.42"


def find(call: Call, host_name: str) -> Host:
    host = call.db.scalar(select(Host).where(Host.name == host_name))
    if host is None:
        raise NotFound(f"Compute host {host_name} could not be found.")
    return host


def index(call: Call) -> Json:
    services = [(s.binary.removeprefix("nova-"), s) for s in queries.every(call.db)]
    zone = call.query_value("zone") or None  # blank: all
    return {
        "hosts": [
            {"host_name": s.host, "service": name, "zone": s.zone} for name, s in services if zone in (None, s.zone)
        ]
    }


def show(call: Call, host: Host) -> Json:
    """The host's total, what is in use, and what each project's servers have."""
    used = usage.of_hosts(call.db).get(host.id, Usage())
    rows = [
        _resource(host, "(total)", host.vcpus, host.memory_mb, host.disk_gb),
        _resource(host, "(used_now)", used.vcpus_used, used.memory_used, used.disk_used),
    ]
    by_project: dict[str, list[Json]] = {}
    for project, flavor in call.db.execute(select(Server.project_id, Server.flavor).where(Server.host == host.name)):
        by_project.setdefault(project, []).append(flavor)
    for project, flavors in by_project.items():
        rows.append(
            _resource(host, project, *(_sum(flavors, names) for names in (("vcpus",), ("ram",), ("disk", "ephemeral"))))
        )
    return {"host": rows}


def _sum(flavors: Iterable[Json], names: tuple[str, ...]) -> int:
    return sum(int(flavor[name]) for flavor in flavors for name in names)


def _resource(host: Host, project: str, cpu: int, memory: int, disk: int) -> Json:
    return {"resource": {"host": host.name, "project": project, "cpu": cpu, "memory_mb": memory, "disk_gb": disk}}


def update(call: Call, host: Host, body: HostChange) -> Json:
    if not isinstance(body.maintenance_mode, Unset):
        raise NotImplementedHere("Hypervisors here have no maintenance mode: disable the host.")
    if isinstance(body.status, Unset):
        raise BadRequest("Invalid input: status is needed")
    host.disabled, host.disabled_reason = body.status == "disable", None
    return {"host": host.name, "status": f"{body.status}d"}


def power(call: Call, host: Host) -> Json:
    raise NotImplementedHere("This cloud does not switch its hosts on and off.")


H = "/v2.1/os-hosts/{host_name}"
ROUTES = (
    Route("GET", "/v2.1/os-hosts", index, f"{HOSTS}:list", until=LAST),
    Route("GET", H, show, f"{HOSTS}:show", load=find, until=LAST),
    Route("PUT", H, update, f"{HOSTS}:update", load=find, until=LAST),
    Route("GET", f"{H}/reboot", power, f"{HOSTS}:reboot", load=find, until=LAST),
    Route("GET", f"{H}/shutdown", power, f"{HOSTS}:shutdown", load=find, until=LAST),
    Route("GET", f"{H}/startup", power, f"{HOSTS}:start", load=find, until=LAST),
)
DOES = {
    "list": "List hosts",
    "show": "Show what a host has and uses",
    "update": "Enable or disable a host",
    "reboot": "Reboot a host",
    "shutdown": "Switch a host off",
    "start": "Switch a host on",
}
RULES = tuple(Rule(f"{HOSTS}:{name}", "rule:admin_required", what) for name, what in DOES.items())
