"""The extensions that are served, whole: an alias stands here when all that its page documents works."""

from pileus.kernel.errors import NotFound
from pileus.kernel.http.call import Call, Json

EXTENSIONS = {
    "aap-reject-multicast": "Allowed address pairs are no multicast addresses",
    "agent": "Agents",
    "allowed-address-pairs": "Allowed address pairs",
    "availability_zone": "Availability zones",
    "binding": "Port bindings",
    "default-subnetpools": "Default subnet pools",
    "dns-integration": "DNS names of ports",
    "ext-gw-mode": "SNAT of routers",
    "external-net": "External networks",
    "extra_dhcp_opt": "DHCP options of ports",
    "extraroute": "Routes of routers",
    "extraroute-atomic": "Routes of routers, added and removed",
    "filter-validation": "Unknown filters are refused",
    "fip-port-details": "Port details of floating IPs",
    "ip-substring-filtering": "Ports by a part of an address",
    "l3-port-ip-change-not-allowed": "Addresses of router ports are changed through their router",
    "net-mtu": "MTU of networks",
    "net-mtu-writable": "MTU of networks, writable",
    "network-ip-availability": "Free addresses of networks",
    "network_availability_zone": "Availability zones of networks",
    "pagination": "Pages",
    "port-mac-address-regenerate": "New MAC addresses for ports",
    "port-security": "Port security",
    "port-security-groups-filtering": "Ports by security group",
    "project-id": "project_id beside tenant_id",
    "provider": "Provider networks",
    "quotas": "Quotas",
    "quota_details": "Usage beside quotas",
    "revision-if-match": "Changes of one revision only",
    "router": "Routers and floating IPs",
    "router_availability_zone": "Availability zones of routers",
    "security-group": "Security groups",
    "security-groups-normalized-cidr": "Normalized prefixes of rules",
    "security-groups-rules-belongs-to-default-sg": "Rules of default groups",
    "service-type": "Service providers",
    "sort-key-validation": "Unknown sort keys are refused",
    "sorting": "Sorting",
    "standard-attr-description": "Descriptions",
    "standard-attr-revisions": "Revisions",
    "standard-attr-tag": "Tags",
    "standard-attr-timestamp": "Timestamps",
    "stateful-security-group": "Stateless security groups",
    "subnet-external-network": "Subnets of external networks",
    "subnet-service-types": "Subnets for device owners",
    "subnet_allocation": "Subnet pools",
    "tag-creation": "Several tags at once",
    "tag-ports-during-bulk-creation": "Tags in the creation of ports",
}
UPDATED = "2026-01-01T00:00:00-00:00"


def index(call: Call) -> Json:
    return {"extensions": [_view(alias) for alias in EXTENSIONS]}


def _view(alias: str) -> Json:
    return {
        "alias": alias,
        "name": EXTENSIONS[alias],
        "description": EXTENSIONS[alias],
        "updated": UPDATED,
        "links": [],
    }


def show(call: Call, alias: str) -> Json:
    if alias not in EXTENSIONS:
        raise NotFound(f"Extension with alias {alias} does not exist", kind="ExtensionNotFound")
    return {"extension": _view(alias)}
