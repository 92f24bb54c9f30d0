from sqlalchemy import ColumnElement, Select, and_, or_, select
from sqlalchemy.orm import Session

from pileus.kernel.context import Context
from pileus.kernel.errors import BadRequest
from pileus.kernel.http.call import Call
from pileus.kernel.http.listing import exact, flag
from pileus.network.errors import not_found
from pileus.network.networks.models import Network
from pileus.network.ports import states
from pileus.network.ports.models import IpAllocation, Port, PortFact, PortGroup
from pileus.network.rest.lists import listing, visible


def _fixed_ips(values: list[str]) -> ColumnElement[bool]:
    """`ip_address=…`, `subnet_id=…`, `ip_address_substr=…`, together on the port."""
    terms = []
    for value in values:
        name, _, wanted = value.partition("=")
        if name == "ip_address":
            terms.append(Port.fixed_ips.any(IpAllocation.ip_address == wanted))
        elif name == "subnet_id":
            terms.append(Port.fixed_ips.any(IpAllocation.subnet_id == wanted))
        elif name == "ip_address_substr":
            terms.append(Port.fixed_ips.any(IpAllocation.ip_address.contains(wanted, autoescape=True)))
        else:
            raise BadRequest(
                f"Invalid fixed_ips filter {value!r}: it is ip_address=…, subnet_id=… or ip_address_substr=…."
            )
    return and_(*terms)


def _status(values: list[str]) -> ColumnElement[bool]:
    """The same answers as `states.status`, in SQL."""
    up = select(PortFact.port_id).where(PortFact.port_id == Port.id, PortFact.host == Port.host)
    down = or_(Port.admin_state_up.is_(False), Port.host == "")
    served = or_(Port.router_id.is_not(None), Port.device_owner == "network:dhcp")
    terms = {
        states.ACTIVE: and_(~down, or_(served, up.where(PortFact.up.is_(True)).exists())),
        states.BUILD: and_(~down, ~served, ~up.exists()),
        states.DOWN: or_(down, and_(~served, up.where(PortFact.up.is_(False)).exists())),
    }
    return or_(*(terms[value] for value in values if value in terms), Port.id.is_(None))


PORTS = listing(
    Port,
    {
        "network_id": exact(Port.network_id),
        "mac_address": lambda values: Port.mac_address.in_([value.lower() for value in values]),
        "admin_state_up": flag(Port.admin_state_up),
        "device_id": exact(Port.device_id),
        "device_owner": exact(Port.device_owner),
        "status": _status,
        "fixed_ips": _fixed_ips,
        "security_groups": lambda values: Port.groups.any(PortGroup.security_group_id.in_(values)),
        "port_security_enabled": flag(Port.port_security_enabled),
        "dns_name": exact(Port.dns_name),
        "binding:host_id": exact(Port.host),
        "binding:vnic_type": exact(Port.vnic_type),
        "binding:vif_type": exact(Port.vif_type),
    },
    sort=("mac_address", "network_id", "device_id", "device_owner", "admin_state_up"),
)


def find(call: Call, port_id: str) -> Port:
    return found(call.db, call.context, port_id)


def found(db: Session, context: Context, port_id: str) -> Port:
    """The port, if it or its network is the caller's. Raises NotFound."""
    port = db.get(Port, port_id)
    if port is None or not (context.sees_project(port.project_id) or context.sees_project(port.network.project_id)):
        raise not_found("Port", port_id)
    return port


def seen(call: Call) -> Select[Port]:
    mine = select(Network.id).where(Network.project_id == (call.context.project_id or ""))
    own = visible(call, Port.project_id, Port.network_id.in_(mine))
    query = select(Port)
    return query if own is None else query.where(own)
