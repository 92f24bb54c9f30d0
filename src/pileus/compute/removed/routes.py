"""Operations that upstream took out of the API: they answer 410, as documented, so that clients know not to try again."""

from pileus.kernel.errors import Gone
from pileus.kernel.http.call import Call, Json
from pileus.kernel.http.routes import Route

PLACES = {
    "/v2.1/os-agents": ("GET", "POST"),
    "/v2.1/os-agents/{agent_id}": ("PUT", "DELETE"),
    "/v2.1/os-cells": ("GET", "POST"),
    "/v2.1/os-cells/capacities": ("GET",),
    "/v2.1/os-cells/detail": ("GET",),
    "/v2.1/os-cells/info": ("GET",),
    "/v2.1/os-cells/sync_instances": ("POST",),
    "/v2.1/os-cells/{cell_id}": ("GET", "PUT", "DELETE"),
    "/v2.1/os-cells/{cell_id}/capacities": ("GET",),
    "/v2.1/os-certificates": ("POST",),
    "/v2.1/os-certificates/{certificate_id}": ("GET",),
    "/v2.1/os-cloudpipe": ("GET", "POST"),
    "/v2.1/os-cloudpipe/{action}": ("PUT",),
    "/v2.1/os-fixed-ips/{address}": ("GET",),
    "/v2.1/os-fixed-ips/{address}/action": ("POST",),
    "/v2.1/os-floating-ip-dns": ("GET",),
    "/v2.1/os-floating-ip-dns/{domain}": ("PUT", "DELETE"),
    "/v2.1/os-floating-ip-dns/{domain}/entries/{name}": ("GET", "PUT", "DELETE"),
    "/v2.1/os-floating-ips-bulk": ("GET", "POST"),
    "/v2.1/os-floating-ips-bulk/{name}": ("GET", "PUT"),
    "/v2.1/os-fping": ("GET",),
    "/v2.1/os-fping/{server_id}": ("GET",),
    "/v2.1/os-networks": ("POST",),
    "/v2.1/os-networks/add": ("POST",),
    "/v2.1/os-networks/{network_id}": ("DELETE",),
    "/v2.1/os-networks/{network_id}/action": ("POST",),
    "/v2.1/os-security-group-default-rules": ("GET", "POST"),
    "/v2.1/os-security-group-default-rules/{rule_id}": ("GET", "DELETE"),
    "/v2.1/os-tenant-networks": ("POST",),
    "/v2.1/os-tenant-networks/{network_id}": ("DELETE",),
    "/v2.1/servers/{server_id}/consoles": ("GET", "POST"),
    "/v2.1/servers/{server_id}/consoles/{console_id}": ("GET", "DELETE"),
    "/v2.1/servers/{server_id}/os-virtual-interfaces": ("GET",),
}


def gone(call: Call) -> Json:
    raise Gone("This operation was removed from the Compute API.")


ROUTES = tuple(Route(method, path, gone, "anyone") for path, methods in PLACES.items() for method in methods)
