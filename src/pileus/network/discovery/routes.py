"""What the service tells of itself."""

from sqlalchemy import func, select

from pileus.kernel.http.call import Call, Json
from pileus.kernel.http.routes import PUBLIC, Route
from pileus.network.discovery import availability, extensions
from pileus.network.hosts.models import NetworkHost
from pileus.network.networks.views import ZONE
from pileus.network.policy import ADMIN, rules

COLLECTIONS = {
    "network": "networks",
    "subnet": "subnets",
    "subnetpool": "subnetpools",
    "port": "ports",
    "router": "routers",
    "floatingip": "floatingips",
    "security_group": "security-groups",
    "security_group_rule": "security-group-rules",
    "agent": "agents",
    "quota": "quotas",
    "extension": "extensions",
    "availability_zone": "availability_zones",
    "network_ip_availability": "network-ip-availabilities",
    "service_provider": "service-providers",
}


def versions(call: Call) -> Json:
    return {"versions": [{"id": "v2.0", "status": "CURRENT", "links": [{"rel": "self", "href": call.url("/v2.0/")}]}]}


def resources(call: Call) -> Json:
    return {
        "resources": [
            {
                "name": name,
                "collection": path.replace("-", "_"),
                "links": [{"rel": "self", "href": call.url(f"/v2.0/{path}")}],
            }
            for name, path in COLLECTIONS.items()
        ]
    }


def zones(call: Call) -> Json:
    """Only what hosts stand behind: without one there is no zone."""
    hosts = call.db.scalar(select(func.count()).select_from(NetworkHost)) or 0
    return {
        "availability_zones": [{"name": ZONE, "resource": kind, "state": "available"} for kind in ("network", "router")]
        if hosts
        else []
    }


def providers(call: Call) -> Json:
    return {"service_providers": []}


ROUTES = (
    Route("GET", "/", versions, PUBLIC),
    Route("GET", "/v2.0", resources, PUBLIC),
    Route("GET", "/v2.0/extensions", extensions.index, "anyone"),
    Route("GET", "/v2.0/extensions/{alias}", extensions.show, "anyone"),
    Route("GET", "/v2.0/availability_zones", zones, "get_availability_zone"),
    Route("GET", "/v2.0/service-providers", providers, "get_service_provider"),
    Route("GET", "/v2.0/network-ip-availabilities", availability.index, "get_network_ip_availability"),
    Route("GET", "/v2.0/network-ip-availabilities/{network_id}", availability.show, "get_network_ip_availability"),
)
RULES = rules(
    {
        "get_availability_zone": "rule:reader_or_admin",
        "get_service_provider": "rule:reader_or_admin",
        "get_network_ip_availability": ADMIN,
    },
    "Discovery",
)
