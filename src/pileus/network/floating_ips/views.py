from collections.abc import Sequence

from sqlalchemy import select

from pileus.kernel.http.call import Call, Json
from pileus.network.floating_ips.models import FloatingIp
from pileus.network.ports.models import Port
from pileus.network.ports.states import status
from pileus.network.rest.lists import Sight, standard, tags_of


def floating_ips(call: Call, rows: Sequence[FloatingIp]) -> list[Json]:
    tags = tags_of(call.db, rows)
    ids = {row.port_id for row in rows if row.port_id}
    ports = {port.id: port for port in call.db.scalars(select(Port).where(Port.id.in_(ids)))} if ids else {}
    sight = Sight(call, "get_floatingip", ())
    return [sight.of(row, {**standard(row, tags), **_own(row, ports.get(row.port_id or ""))}) for row in rows]


def _own(row: FloatingIp, port: Port | None) -> Json:
    return {
        "floating_network_id": row.floating_network_id,
        "floating_ip_address": row.floating_ip_address,
        "fixed_ip_address": row.fixed_ip_address,
        "port_id": row.port_id,
        "router_id": row.router_id,
        "status": "ACTIVE" if row.port_id and row.router_id else "DOWN",
        "dns_name": row.dns_name,
        "dns_domain": row.dns_domain,
        "port_details": _details(port) if port is not None else None,
    }


def _details(port: Port) -> Json:
    return {
        "name": port.name,
        "network_id": port.network_id,
        "mac_address": port.mac_address,
        "admin_state_up": port.admin_state_up,
        "status": status(port),
        "device_id": port.device_id,
        "device_owner": port.device_owner,
    }
