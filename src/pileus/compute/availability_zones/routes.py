"""Availability zones: the zones of hosts."""

from pileus.compute.services import queries
from pileus.compute.services.queries import Service
from pileus.compute.strictness import refuse_unknown
from pileus.kernel.http.call import Call, Json
from pileus.kernel.http.routes import Route
from pileus.kernel.policy import Rule

ZONES = "os_compute_api:os-availability-zone"


def index(call: Call) -> Json:
    """The names, for everybody: neither hosts nor the zone of the control plane."""
    refuse_unknown(call)
    zones = _zones(queries.every(call.db, binary=queries.COMPUTE))
    return {"availabilityZoneInfo": [_view(name, services) | {"hosts": None} for name, services in zones.items()]}


def detail(call: Call) -> Json:
    refuse_unknown(call)
    zones = _zones(queries.every(call.db))
    return {
        "availabilityZoneInfo": [
            _view(name, services) | {"hosts": _hosts(services)} for name, services in zones.items()
        ]
    }


def _zones(services: list[Service]) -> dict[str, list[Service]]:
    zones: dict[str, list[Service]] = {}
    for service in sorted(services, key=lambda service: service.zone):
        zones.setdefault(service.zone, []).append(service)
    return zones


def _view(name: str, services: list[Service]) -> Json:
    return {"zoneName": name, "zoneState": {"available": any(s.up and not s.disabled for s in services)}}


def _hosts(services: list[Service]) -> dict[str, Json]:
    hosts: dict[str, Json] = {}
    for s in services:
        seen = s.seen_at.isoformat(timespec="microseconds")
        hosts.setdefault(s.host, {})[s.binary] = {"available": s.up, "active": not s.disabled, "updated_at": seen}
    return hosts


ROUTES = (
    Route("GET", "/v2.1/os-availability-zone", index, f"{ZONES}:list"),
    Route("GET", "/v2.1/os-availability-zone/detail", detail, f"{ZONES}:detail"),
)
RULES = (
    Rule(f"{ZONES}:list", "@", "List availability zones"),
    Rule(f"{ZONES}:detail", "rule:admin_required", "List availability zones with their hosts"),
)
