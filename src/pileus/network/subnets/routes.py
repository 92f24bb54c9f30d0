from pileus.kernel.http.call import Call, Json, Reply
from pileus.kernel.http.routes import Route
from pileus.network import pokes
from pileus.network.attributes import Tag
from pileus.network.errors import invalid
from pileus.network.hosts import services
from pileus.network.networks.queries import found as find_network
from pileus.network.rest.bodies import check_create, check_revision, check_update, create_all, owner, set_plain, text
from pileus.network.rest.lists import listed
from pileus.network.settings import settings_of
from pileus.network.subnet_pools import allocation
from pileus.network.subnets import actions, cidrs, queries, views
from pileus.network.subnets.models import Subnet
from pileus.network.subnets.schemas import Changes, CreateBody, NewSubnet, UpdateBody


def index(call: Call) -> Json:
    return listed(call, queries.SUBNETS, queries.seen(call), "subnets", views.subnets)


def show(call: Call, subnet: Subnet) -> Json:
    return {"subnet": views.subnets(call, [subnet])[0]}


def create(call: Call, body: CreateBody) -> Reply:
    """The rule `create_subnet` asks about the network, so it is enforced when that is found, below."""
    return create_all(call, "subnet", body.subnet, body.subnets, _create_one, views.subnets)


def _create_one(call: Call, new: NewSubnet) -> Subnet:
    project_id = owner(call, new)
    network = find_network(call.db, call.context, new.network_id)
    target = {"project_id": project_id, "tenant_id": project_id, **network.parent_target()}
    call.enforce("create_subnet", target)
    check_create(call, "create_subnet", new, target, {})
    pool_id, cidr = allocation.cidr_for(call.db, call.context, new)
    settings = settings_of(call.db)
    if new.gateway_ip is None or new.gateway_ip == "":
        gateway = None
    else:
        gateway = (
            cidrs.gateway(new.gateway_ip, cidr) if isinstance(new.gateway_ip, str) else cidrs.default_gateway(cidr)
        )
    given = new.allocation_pools
    subnet = Subnet(
        project_id=project_id,
        name=text("name", new.name),
        description=text("description", new.description),
        cidr=str(cidr),
        ip_version=cidr.version,
        gateway_ip=gateway,
        enable_dhcp=new.enable_dhcp is not False,
        allocation_pools=cidrs.pools(given, cidr, gateway)
        if isinstance(given, list)
        else cidrs.default_pools(cidr, gateway),
        dns_nameservers=cidrs.nameservers(new.dns_nameservers or [], settings.max_dns_nameservers),
        host_routes=cidrs.routes(new.host_routes or [], settings.max_host_routes, cidr.version),
        ipv6_ra_mode=new.ipv6_ra_mode or None,
        ipv6_address_mode=new.ipv6_address_mode or None,
        subnetpool_id=pool_id,
        service_types=_service_types(new),
        dns_publish_fixed_ip=new.dns_publish_fixed_ip is True,
    )
    made = actions.create(call.db, network, subnet)
    pokes.networks(call, network.id)
    return made


def _service_types(new: Changes) -> list[str]:
    kinds = new.service_types if isinstance(new.service_types, list) else []
    if len(set(kinds)) != len(kinds) or any(not kind or len(kind) > 255 for kind in kinds):
        raise invalid("service_types are device owners, each named once.")
    return kinds


def update(call: Call, subnet: Subnet, body: UpdateBody) -> Json:
    new, settings, cidr = body.subnet, settings_of(call.db), cidrs.cidr(subnet.cidr)
    check_revision(call, subnet)
    check_update(call, "update_subnet", new, subnet.policy_target())
    set_plain(subnet, new, ("name", "description", "enable_dhcp", "dns_publish_fixed_ip"))
    actions.check_modes(subnet)
    if new.gateway_ip is None or isinstance(new.gateway_ip, str):
        actions.set_gateway(call.db, subnet, new.gateway_ip or None)
    if isinstance(new.allocation_pools, list):
        subnet.allocation_pools = cidrs.pools(new.allocation_pools, cidr, subnet.gateway_ip)
    else:
        cidrs.check_gateway(subnet.allocation_pools, subnet.gateway_ip)
    if new.dns_nameservers is None or isinstance(new.dns_nameservers, list):
        subnet.dns_nameservers = cidrs.nameservers(new.dns_nameservers or [], settings.max_dns_nameservers)
    if new.host_routes is None or isinstance(new.host_routes, list):
        subnet.host_routes = cidrs.routes(new.host_routes or [], settings.max_host_routes, subnet.ip_version)
    if isinstance(new.service_types, list):
        subnet.service_types = _service_types(new)
    call.db.flush()
    pokes.networks(call, subnet.network_id)
    services.ensure_dhcp(call.db, subnet.network)
    pokes.networks(call, subnet.network_id)
    return {"subnet": views.subnets(call, [subnet])[0]}


def destroy(call: Call, subnet: Subnet) -> None:
    check_revision(call, subnet)
    pokes.networks(call, subnet.network_id)
    Tag.forget(call.db, subnet.id)
    actions.destroy(call.db, subnet)


ROUTES = (
    Route("GET", "/v2.0/subnets", index, "get_subnets"),
    Route("POST", "/v2.0/subnets", create, "anyone", status=201),
    Route("GET", "/v2.0/subnets/{subnet_id}", show, "get_subnet", load=queries.find),
    Route("PUT", "/v2.0/subnets/{subnet_id}", update, "update_subnet", load=queries.find),
    Route("DELETE", "/v2.0/subnets/{subnet_id}", destroy, "delete_subnet", load=queries.find, status=204),
)
