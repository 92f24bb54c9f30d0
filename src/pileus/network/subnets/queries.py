from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session

from pileus.kernel.context import Context
from pileus.kernel.http.call import Call
from pileus.kernel.http.listing import exact, flag, number
from pileus.network.errors import not_found
from pileus.network.networks.models import Network
from pileus.network.networks.queries import sees
from pileus.network.rest.lists import listing, visible
from pileus.network.subnets.models import Subnet

SUBNETS = listing(
    Subnet,
    {
        "network_id": exact(Subnet.network_id),
        "ip_version": number(Subnet.ip_version),
        "cidr": exact(Subnet.cidr),
        "gateway_ip": exact(Subnet.gateway_ip),
        "enable_dhcp": flag(Subnet.enable_dhcp),
        "ipv6_ra_mode": exact(Subnet.ipv6_ra_mode),
        "ipv6_address_mode": exact(Subnet.ipv6_address_mode),
        "subnetpool_id": exact(Subnet.subnetpool_id),
        "shared": lambda values: Subnet.network.has(flag(Network.shared)(values)),
        "router:external": lambda values: Subnet.network.has(flag(Network.external)(values)),
    },
    sort=("cidr", "network_id", "ip_version", "enable_dhcp"),
)


def find(call: Call, subnet_id: str) -> Subnet:
    return found(call.db, call.context, subnet_id)


def found(db: Session, context: Context, subnet_id: str) -> Subnet:
    """The subnet, if the caller may know of it. Raises NotFound."""
    subnet = db.get(Subnet, subnet_id)
    if subnet is None or not (context.sees_project(subnet.project_id) or sees(context, subnet.network)):
        raise not_found("Subnet", subnet_id)
    return subnet


def seen(call: Call) -> Select[Subnet]:
    open_ones = select(Network.id).where(
        or_(Network.project_id == (call.context.project_id or ""), Network.shared.is_(True), Network.external.is_(True))
    )
    own = visible(call, Subnet.project_id, Subnet.network_id.in_(open_ones))
    query = select(Subnet)
    return query if own is None else query.where(own)
