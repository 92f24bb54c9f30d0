from collections.abc import Mapping

from pileus.kernel.errors import BadRequest
from pileus.kernel.http.call import Call, Json, Reply
from pileus.kernel.http.routes import Route
from pileus.kernel.http.schema import UNSET
from pileus.network import pokes, usage
from pileus.network.attributes import Tag
from pileus.network.errors import invalid
from pileus.network.hosts import services
from pileus.network.networks.queries import found as find_network
from pileus.network.networks.views import ZONE
from pileus.network.ports.addresses import AddressRequest
from pileus.network.ports.queries import found as find_port
from pileus.network.rest.bodies import check_create, check_revision, check_update, create_all, owner, set_plain, text
from pileus.network.rest.lists import listed
from pileus.network.routers import actions, queries, views
from pileus.network.routers.models import Router
from pileus.network.routers.policy import GATEWAY
from pileus.network.routers.schemas import Changes, CreateBody, InterfaceBody, NewRouter, RoutesBody, UpdateBody
from pileus.network.subnets.queries import found as find_subnet


def index(call: Call) -> Json:
    return listed(call, queries.ROUTERS, queries.seen(call), "routers", views.routers)


def show(call: Call, router: Router) -> Json:
    return {"router": views.routers(call, [router])[0]}


def create(call: Call, body: CreateBody) -> Reply:
    return create_all(call, "router", body.router, body.routers, _create_one, views.routers)


def _create_one(call: Call, new: NewRouter) -> Router:
    project_id = owner(call, new)
    target = {"project_id": project_id, "tenant_id": project_id}
    check_create(call, "create_router", new, target, {})
    _check_kind(new)
    hints = new.availability_zone_hints if isinstance(new.availability_zone_hints, list) else []
    if any(hint != ZONE for hint in hints):
        raise invalid(f"AvailabilityZone not found: this cloud has {ZONE}.", "AvailabilityZoneNotFound")
    usage.check(call.db, project_id, "router")
    router = Router(
        project_id=project_id,
        name=text("name", new.name),
        description=text("description", new.description),
        admin_state_up=new.admin_state_up is not False,
        enable_snat=True,
        routes=[],
        host="",
        availability_zone_hints=hints,
        gateway_port=None,
    )
    call.db.add(router)
    call.db.flush()
    _gateway(call, router, new, "create_router", target)
    if isinstance(new.routes, list):
        actions.set_routes(call.db, router, new.routes)
    services.ensure_router(call.db, router)
    pokes.router(call, router)
    return router


def _check_kind(new: Changes) -> None:
    if new.distributed is True or new.ha is True:
        raise invalid("this cloud's routers are neither distributed nor highly available.")


def _gateway(call: Call, router: Router, new: Changes, action: str, target: Mapping[str, object]) -> None:
    info = new.external_gateway_info
    if info is UNSET:
        return
    if info is None or isinstance(info, type(UNSET)) or not info.network_id:
        actions.set_gateway(call.db, router, None, [], True)
        return
    if isinstance(info.enable_snat, bool) and info.enable_snat != (router.enable_snat if router.gateway_port else True):
        call.enforce(f"{action}:{GATEWAY}:enable_snat", target)
    fixed = info.external_fixed_ips if isinstance(info.external_fixed_ips, list) else []
    if fixed:
        call.enforce(f"{action}:{GATEWAY}:external_fixed_ips", target)
    network = find_network(call.db, call.context, info.network_id)
    same = router.gateway_port is not None and router.gateway_port.network_id == network.id
    snat = info.enable_snat if isinstance(info.enable_snat, bool) else (router.enable_snat if same else True)
    actions.set_gateway(call.db, router, network, [AddressRequest(ip.subnet_id, ip.ip_address) for ip in fixed], snat)


def update(call: Call, router: Router, body: UpdateBody) -> Json:
    new, target = body.router, router.policy_target()
    check_revision(call, router)
    check_update(call, "update_router", new, target)
    _check_kind(new)
    before = [port.network_id for port in services.router_ports(call.db, router.id)]
    set_plain(router, new, ("name", "description", "admin_state_up"))
    _gateway(call, router, new, "update_router", target)
    if new.routes is None or isinstance(new.routes, list):
        actions.set_routes(call.db, router, new.routes or [])
    call.db.flush()
    pokes.router(call, router, *before)
    return {"router": views.routers(call, [router])[0]}


def destroy(call: Call, router: Router) -> None:
    check_revision(call, router)
    pokes.router(call, router)
    Tag.forget(call.db, router.id)
    actions.destroy(call.db, router)


def add_interface(call: Call, router: Router, body: InterfaceBody) -> Json:
    if (body.subnet_id is None) == (body.port_id is None):
        raise BadRequest(
            "Bad router request: Either subnet_id or port_id must be specified, and not both.", kind="BadRequest"
        )
    if body.subnet_id is not None:
        subnet = find_subnet(call.db, call.context, body.subnet_id)
        if not (subnet.network.shared or call.context.sees_project(subnet.network.project_id)):
            raise BadRequest(
                f"Bad router request: subnet {subnet.id} is on an external network of another project.",
                kind="BadRequest",
            )
        port = actions.add_subnet(call.db, router, subnet)
        subnet_id = subnet.id
    else:
        port = find_port(call.db, call.context, body.port_id or "")
        if not call.context.sees_project(port.project_id):
            raise BadRequest(f"Bad router request: port {port.id} is of another project.", kind="BadRequest")
        actions.add_port(call.db, router, port)
        subnet_id = port.fixed_ips[0].subnet_id
    router.touch()
    call.db.flush()
    pokes.router(call, router, port.network_id)
    return _interface(router, port.id, port.network_id, subnet_id)


def remove_interface(call: Call, router: Router, body: InterfaceBody) -> Json:
    subnet = find_subnet(call.db, call.context, body.subnet_id) if body.subnet_id is not None else None
    given = find_port(call.db, call.context, body.port_id) if body.port_id is not None else None
    before = [port.network_id for port in services.router_ports(call.db, router.id)]
    pokes.router(call, router, *before)
    port, subnet_id = actions.remove_interface(call.db, router, subnet, given)
    return _interface(router, port.id, port.network_id, subnet_id)


def _interface(router: Router, port_id: str, network_id: str, subnet_id: str) -> Json:
    return {
        "id": router.id,
        "project_id": router.project_id,
        "tenant_id": router.project_id,
        "port_id": port_id,
        "network_id": network_id,
        "subnet_id": subnet_id,
        "subnet_ids": [subnet_id],
    }


def add_routes(call: Call, router: Router, body: RoutesBody) -> Json:
    held = [route for route in router.routes if route not in body.router.routes]
    actions.set_routes(call.db, router, [*held, *body.router.routes])
    pokes.router(call, router)
    return {"router": views.routers(call, [router])[0]}


def remove_routes(call: Call, router: Router, body: RoutesBody) -> Json:
    actions.set_routes(call.db, router, [route for route in router.routes if route not in body.router.routes])
    pokes.router(call, router)
    return {"router": views.routers(call, [router])[0]}


ONE = "/v2.0/routers/{router_id}"
ROUTES = (
    Route("GET", "/v2.0/routers", index, "get_routers"),
    Route("POST", "/v2.0/routers", create, "create_router", status=201),
    Route("GET", ONE, show, "get_router", load=queries.find),
    Route("PUT", ONE, update, "update_router", load=queries.find),
    Route("DELETE", ONE, destroy, "delete_router", load=queries.find, status=204),
    Route("PUT", f"{ONE}/add_router_interface", add_interface, "add_router_interface", load=queries.find),
    Route("PUT", f"{ONE}/remove_router_interface", remove_interface, "remove_router_interface", load=queries.find),
    Route("PUT", f"{ONE}/add_extraroutes", add_routes, "add_extraroutes", load=queries.find),
    Route("PUT", f"{ONE}/remove_extraroutes", remove_routes, "remove_extraroutes", load=queries.find),
)
