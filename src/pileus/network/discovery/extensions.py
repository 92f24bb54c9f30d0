"""The extensions that are served: an alias stands here when what its page documents works.

Alias -> name. Some clients look for the name, so well-known ones have the name they look for.
"""

from pileus.kernel.errors import NotFound
from pileus.kernel.http.call import Call, Json

EXTENSIONS = {
    "aap-reject-multicast": "Allowed address pairs are no multicast addresses",
    "agent": "agent",
    "allowed-address-pairs": "Allowed Address Pairs",
    "availability_zone": "Availability Zone",
    "binding": "Port Binding",
    "default-subnetpools": "Default subnet pools",
    "dns-integration": "DNS Integration",
    "ext-gw-mode": "Neutron L3 Configurable external gateway mode",
    "external-net": "Neutron external network",
    "extra_dhcp_opt": "Neutron Extra DHCP options",
    "extraroute": "Neutron Extra Route",
    "extraroute-atomic": "Routes of routers, added and removed",
    "filter-validation": "Unknown filters are refused",
    "fip-port-details": "Port details of floating IPs",
    "ip-substring-filtering": "Ports by a part of an address",
    "l3-port-ip-change-not-allowed": "Addresses of router ports are changed through their router",
    "net-mtu": "Network MTU",
    "net-mtu-writable": "MTU of networks, writable",
    "network-ip-availability": "Network IP Availability",
    "network_availability_zone": "Network Availability Zone",
    "pagination": "Pagination support",
    "port-mac-address-regenerate": "New MAC addresses for ports",
    "port-security": "Port Security",
    "port-security-groups-filtering": "Ports by security group",
    "project-id": "project_id beside tenant_id",
    "provider": "Provider Network",
    "quotas": "Quota management support",
    "quota_details": "Quota details management support",
    "revision-if-match": "Changes of one revision only",
    "router": "Neutron L3 Router",
    "router_availability_zone": "Router Availability Zone",
    "security-group": "security-group",
    "security-groups-normalized-cidr": "Normalized prefixes of rules",
    "security-groups-rules-belongs-to-default-sg": "Rules of default groups",
    "service-type": "Neutron Service Type Management",
    "sort-key-validation": "Unknown sort keys are refused",
    "sorting": "Sorting support",
    "standard-attr-description": "Descriptions",
    "standard-attr-revisions": "Revisions",
    "standard-attr-tag": "Tags",
    "standard-attr-timestamp": "Timestamps",
    "stateful-security-group": "Stateless security groups",
    "subnet-external-network": "Subnets of external networks",
    "subnet-service-types": "Subnets for device owners",
    "subnet_allocation": "Subnet Allocation",
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
