from collections.abc import Sequence

from pileus.kernel.http.call import Call, Json
from pileus.network.rest.lists import Sight, standard, tags_of
from pileus.network.subnets.models import Subnet


def subnets(call: Call, rows: Sequence[Subnet]) -> list[Json]:
    tags = tags_of(call.db, rows)
    sight = Sight(call, "get_subnet", ())
    return [sight.of(row, {**standard(row, tags), **_own(row)}) for row in rows]


def _own(row: Subnet) -> Json:
    return {
        "name": row.name,
        "network_id": row.network_id,
        "ip_version": row.ip_version,
        "cidr": row.cidr,
        "gateway_ip": row.gateway_ip,
        "enable_dhcp": row.enable_dhcp,
        "allocation_pools": row.allocation_pools,
        "dns_nameservers": row.dns_nameservers,
        "host_routes": row.host_routes,
        "ipv6_ra_mode": row.ipv6_ra_mode,
        "ipv6_address_mode": row.ipv6_address_mode,
        "subnetpool_id": row.subnetpool_id,
        "service_types": row.service_types,
        "dns_publish_fixed_ip": row.dns_publish_fixed_ip,
        "router:external": row.network.external,
    }
