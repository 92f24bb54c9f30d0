from sqlalchemy import ColumnElement, Select, and_, or_, select

from pileus.kernel.http.call import Call
from pileus.kernel.http.listing import exact
from pileus.network.errors import not_found
from pileus.network.floating_ips.models import FloatingIp
from pileus.network.rest.lists import listing, visible


def _leads(values: list[str]) -> ColumnElement[bool]:
    up = and_(FloatingIp.port_id.is_not(None), FloatingIp.router_id.is_not(None))
    return or_(
        *({"ACTIVE": up, "DOWN": ~up}[value] for value in values if value in ("ACTIVE", "DOWN")),
        FloatingIp.id.is_(None),
    )


FLOATING_IPS = listing(
    FloatingIp,
    {
        "floating_network_id": exact(FloatingIp.floating_network_id),
        "floating_ip_address": exact(FloatingIp.floating_ip_address),
        "fixed_ip_address": exact(FloatingIp.fixed_ip_address),
        "port_id": exact(FloatingIp.port_id),
        "router_id": exact(FloatingIp.router_id),
        "status": _leads,
    },
    sort=("floating_ip_address", "floating_network_id"),
)


def find(call: Call, floatingip_id: str) -> FloatingIp:
    row = call.db.get(FloatingIp, floatingip_id)
    if row is None or not call.context.sees_project(row.project_id):
        raise not_found("Floating IP", floatingip_id, "FloatingIPNotFound")
    return row


def seen(call: Call) -> Select[FloatingIp]:
    own = visible(call, FloatingIp.project_id)
    query = select(FloatingIp)
    return query if own is None else query.where(own)
