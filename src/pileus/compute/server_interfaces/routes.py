"""Ports of a server, as compute shows them."""

from collections.abc import Sequence

from pileus.compute.servers import queries
from pileus.compute.servers.models import Server
from pileus.kernel.errors import NotFound
from pileus.kernel.http.call import Call, Json
from pileus.kernel.http.routes import Route
from pileus.network import internal as network
from pileus.network.internal import PortFacts

INTERFACES = "os_compute_api:os-attach-interfaces"


def index(call: Call, server: Server) -> Json:
    return {"interfaceAttachments": [view(call, port) for port in _ports(call, server)]}


def show(call: Call, server: Server, port_id: str) -> Json:
    for port in _ports(call, server):
        if port.id == port_id:
            return {"interfaceAttachment": view(call, port)}
    raise NotFound(f"Instance {server.id} does not have a port with id {port_id}")


def _ports(call: Call, server: Server) -> Sequence[PortFacts]:
    return network.ports_of(call.db, [server.id]).get(server.id, [])


def view(call: Call, port: PortFacts) -> Json:
    shown: Json = {
        "port_id": port.id,
        "net_id": port.network_id,
        "mac_addr": port.mac_address,
        "port_state": port.status,
        "fixed_ips": [{"subnet_id": fixed.subnet_id, "ip_address": fixed.ip_address} for fixed in port.fixed_ips],
    }
    return shown | ({"tag": None} if call.at_least(2, 70) else {})


PATH = "/v2.1/servers/{server_id}/os-interface"
ROUTES = (
    Route("GET", PATH, index, f"{INTERFACES}:list", load=queries.find),
    Route("GET", f"{PATH}/{{port_id}}", show, f"{INTERFACES}:show", load=queries.find),
)
