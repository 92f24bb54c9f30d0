from collections.abc import Sequence

from pileus.kernel.http.call import Call, Json
from pileus.network.networks.views import ZONE
from pileus.network.rest.lists import Sight, standard, tags_of
from pileus.network.routers.models import Router


def routers(call: Call, rows: Sequence[Router]) -> list[Json]:
    tags = tags_of(call.db, rows)
    sight = Sight(call, "get_router", ("distributed", "ha"))
    return [sight.of(row, {**standard(row, tags), **_own(row)}) for row in rows]


def _own(row: Router) -> Json:
    return {
        "name": row.name,
        "status": "ACTIVE",
        "admin_state_up": row.admin_state_up,
        "external_gateway_info": gateway(row),
        "routes": row.routes,
        "distributed": False,
        "ha": False,
        "flavor_id": None,
        "availability_zone_hints": row.availability_zone_hints,
        "availability_zones": [ZONE] if row.host else [],
    }


def gateway(row: Router) -> Json | None:
    port = row.gateway_port
    if port is None:
        return None
    return {
        "network_id": port.network_id,
        "enable_snat": row.enable_snat,
        "external_fixed_ips": [{"subnet_id": ip.subnet_id, "ip_address": ip.ip_address} for ip in port.fixed_ips],
    }
