from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session

from pileus.kernel.context import Context
from pileus.kernel.http.call import Call
from pileus.kernel.http.listing import exact, flag, number
from pileus.network.errors import not_found
from pileus.network.networks.models import Network, Segment
from pileus.network.rest.lists import listing, visible
from pileus.network.rest.words import always

NETWORKS = listing(
    Network,
    {
        "admin_state_up": flag(Network.admin_state_up),
        "shared": flag(Network.shared),
        "router:external": flag(Network.external),
        "is_default": flag(Network.is_default),
        "mtu": number(Network.mtu),
        "port_security_enabled": flag(Network.port_security_enabled),
        "dns_domain": exact(Network.dns_domain),
        "status": always("ACTIVE"),
        "provider:network_type": lambda values: Network.segment.has(Segment.network_type.in_(values)),
        "provider:physical_network": lambda values: Network.segment.has(Segment.physical_network.in_(values)),
        "provider:segmentation_id": lambda values: Network.segment.has(number(Segment.segmentation_id)(values)),
    },
    sort=("admin_state_up", "mtu", "shared"),
)


def sees(context: Context, network: Network) -> bool:
    return context.sees_project(network.project_id) or network.shared or network.external


def find(call: Call, network_id: str) -> Network:
    return found(call.db, call.context, network_id)


def found(db: Session, context: Context, network_id: str) -> Network:
    """The network, if the caller may know of it. Raises NotFound."""
    network = db.get(Network, network_id)
    if network is None or not sees(context, network):
        raise not_found("Network", network_id)
    return network


def seen(call: Call) -> Select[Network]:
    """All networks that the caller may know of."""
    own = visible(call, Network.project_id, or_(Network.shared.is_(True), Network.external.is_(True)))
    query = select(Network)
    return query if own is None else query.where(own)
