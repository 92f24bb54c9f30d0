"""How many addresses networks have left."""

from collections import defaultdict
from ipaddress import ip_address

from sqlalchemy import func, select

from pileus.kernel.http.call import Call, Json
from pileus.network.networks.models import Network
from pileus.network.networks.queries import NETWORKS, find, seen
from pileus.network.ports.models import IpAllocation
from pileus.network.subnets.models import Subnet


def _views(call: Call, networks: list[Network]) -> list[Json]:
    ids = [network.id for network in networks]
    used_query = select(IpAllocation.subnet_id, func.count()).join(Subnet, Subnet.id == IpAllocation.subnet_id)
    used = dict(call.db.execute(used_query.where(Subnet.network_id.in_(ids)).group_by(IpAllocation.subnet_id)).all())
    subnets: dict[str, list[Json]] = defaultdict(list)
    for subnet in call.db.scalars(
        select(Subnet).where(Subnet.network_id.in_(ids)).order_by(Subnet.created_at, Subnet.id)
    ):
        subnets[subnet.network_id].append(
            {
                "subnet_id": subnet.id,
                "subnet_name": subnet.name,
                "cidr": subnet.cidr,
                "ip_version": subnet.ip_version,
                "used_ips": used.get(subnet.id, 0),
                "total_ips": sum(
                    int(ip_address(pool["end"])) - int(ip_address(pool["start"])) + 1
                    for pool in subnet.allocation_pools
                ),
            }
        )
    return [
        {
            "network_id": network.id,
            "network_name": network.name,
            "project_id": network.project_id,
            "tenant_id": network.project_id,
            "subnet_ip_availability": subnets[network.id],
            "used_ips": sum(subnet["used_ips"] for subnet in subnets[network.id]),
            "total_ips": sum(subnet["total_ips"] for subnet in subnets[network.id]),
        }
        for network in networks
    ]


def index(call: Call) -> Json:
    wanted = dict(call.query)
    query = seen(call).order_by(Network.id).limit(NETWORKS.max_limit)
    for name, column in (
        ("network_id", Network.id),
        ("network_name", Network.name),
        ("project_id", Network.project_id),
    ):
        if name in wanted:
            query = query.where(column == wanted[name])
    rows = _views(call, list(call.db.scalars(query)))
    if "ip_version" in wanted:
        rows = [
            row
            for row in rows
            if any(str(one["ip_version"]) == wanted["ip_version"] for one in row["subnet_ip_availability"])
        ]
    return {"network_ip_availabilities": rows}


def show(call: Call, network_id: str) -> Json:
    return {"network_ip_availability": _views(call, [find(call, network_id)])[0]}
