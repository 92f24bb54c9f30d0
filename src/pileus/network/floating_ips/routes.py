from pileus.kernel.errors import BadRequest
from pileus.kernel.http.call import Call, Json, Reply
from pileus.kernel.http.routes import Route
from pileus.kernel.http.schema import UNSET
from pileus.network import pokes
from pileus.network.attributes import Tag
from pileus.network.dns import domain
from pileus.network.floating_ips import actions, queries, views
from pileus.network.floating_ips.models import FloatingIp
from pileus.network.floating_ips.schemas import Changes, CreateBody, NewFloatingIp, UpdateBody
from pileus.network.networks.queries import found as find_network
from pileus.network.ports.models import Port
from pileus.network.ports.queries import found as find_port
from pileus.network.rest.bodies import check_create, check_revision, create_all, owner, set_plain, text
from pileus.network.rest.lists import listed
from pileus.network.routers.models import Router
from pileus.network.subnets import cidrs


def index(call: Call) -> Json:
    return listed(call, queries.FLOATING_IPS, queries.seen(call), "floatingips", views.floating_ips)


def show(call: Call, row: FloatingIp) -> Json:
    return {"floatingip": views.floating_ips(call, [row])[0]}


def create(call: Call, body: CreateBody) -> Reply:
    return create_all(call, "floatingip", body.floatingip, body.floatingips, _create_one, views.floating_ips)


def _create_one(call: Call, new: NewFloatingIp) -> FloatingIp:
    project_id = owner(call, new)
    check_create(call, "create_floatingip", new, {"project_id": project_id, "tenant_id": project_id}, {})
    network = find_network(call.db, call.context, new.floating_network_id)
    address = str(cidrs.address(new.floating_ip_address, 4)) if isinstance(new.floating_ip_address, str) else None
    row = FloatingIp(
        project_id=project_id,
        description=text("description", new.description),
        dns_name=domain(new.dns_name or ""),
        dns_domain=domain(new.dns_domain or ""),
    )
    actions.create(call.db, row, network, new.subnet_id if isinstance(new.subnet_id, str) else None, address)
    _lead(call, row, new)
    return row


def _lead(call: Call, row: FloatingIp, new: Changes) -> None:
    if new.port_id is UNSET and new.fixed_ip_address is UNSET:
        return
    fixed = str(cidrs.address(new.fixed_ip_address, 4)) if isinstance(new.fixed_ip_address, str) else None
    port_id = row.port_id if new.port_id is UNSET else new.port_id
    port = _port(call, row, port_id) if isinstance(port_id, str) and port_id else None
    _poke(call, row)
    actions.associate(call.db, row, port, fixed)
    _poke(call, row)


def _port(call: Call, row: FloatingIp, port_id: str) -> Port:
    port = find_port(call.db, call.context, port_id)
    if port.project_id != row.project_id and not call.context.is_admin:
        message = f"Bad floatingip request: Port {port_id} is owned by another project, not by that of the floating IP."
        raise BadRequest(message, kind="BadRequest")
    return port


def _poke(call: Call, row: FloatingIp) -> None:
    router = call.db.get(Router, row.router_id) if row.router_id else None
    if router is not None:
        pokes.hosts(call, [router.host])


def update(call: Call, row: FloatingIp, body: UpdateBody) -> Json:
    check_revision(call, row)
    set_plain(row, body.floatingip, ("description",))
    _lead(call, row, body.floatingip)
    call.db.flush()
    return {"floatingip": views.floating_ips(call, [row])[0]}


def destroy(call: Call, row: FloatingIp) -> None:
    check_revision(call, row)
    _poke(call, row)
    Tag.forget(call.db, row.id)
    actions.destroy(call.db, row)


ONE = "/v2.0/floatingips/{floatingip_id}"
ROUTES = (
    Route("GET", "/v2.0/floatingips", index, "get_floatingips"),
    Route("POST", "/v2.0/floatingips", create, "create_floatingip", status=201),
    Route("GET", ONE, show, "get_floatingip", load=queries.find),
    Route("PUT", ONE, update, "update_floatingip", load=queries.find),
    Route("DELETE", ONE, destroy, "delete_floatingip", load=queries.find, status=204),
)
