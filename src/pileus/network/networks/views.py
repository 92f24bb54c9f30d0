from collections.abc import Sequence

from sqlalchemy import select

from pileus.kernel.http.call import Call, Json
from pileus.network.networks.models import Network
from pileus.network.networks.policy import PROVIDER
from pileus.network.rest.lists import Sight, grouped, standard, tags_of
from pileus.network.subnets.models import Subnet

ZONE = "nova"  # the one availability zone of network hosts


def networks(call: Call, rows: Sequence[Network]) -> list[Json]:
    if not rows:
        return []
    ids = [row.id for row in rows]
    subnets = grouped(
        call.db,
        select(Subnet.network_id, Subnet.id).where(Subnet.network_id.in_(ids)).order_by(Subnet.created_at, Subnet.id),
    )
    tags = tags_of(call.db, rows)
    sight = Sight(call, "get_network", PROVIDER)
    return [sight.of(row, {**standard(row, tags), **_own(row), "subnets": subnets.get(row.id, [])}) for row in rows]


def _own(row: Network) -> Json:
    return {
        "name": row.name,
        "status": "ACTIVE",
        "admin_state_up": row.admin_state_up,
        "shared": row.shared,
        "router:external": row.external,
        **({"is_default": row.is_default} if row.external else {}),
        "mtu": row.mtu,
        "port_security_enabled": row.port_security_enabled,
        "dns_domain": row.dns_domain,
        "availability_zone_hints": row.availability_zone_hints,
        "availability_zones": [ZONE],
        "ipv4_address_scope": None,
        "ipv6_address_scope": None,
        "provider:network_type": row.segment.network_type,
        "provider:physical_network": row.segment.physical_network or None,
        "provider:segmentation_id": row.segment.segmentation_id or None,
    }
