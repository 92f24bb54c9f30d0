from collections.abc import Mapping

from pileus.kernel.errors import BadRequest, Forbidden
from pileus.kernel.http.call import Call, Json, Reply
from pileus.kernel.http.routes import Route
from pileus.kernel.http.schema import UNSET
from pileus.network import pokes
from pileus.network.attributes import Tag
from pileus.network.dns import hostname
from pileus.network.errors import conflict, invalid
from pileus.network.hosts import binding, services
from pileus.network.networks.queries import found as find_network
from pileus.network.ports import actions, macs, options, queries, views
from pileus.network.ports.addresses import AddressRequest
from pileus.network.ports.models import DHCP, SERVICE, SERVICE_PREFIX, Port
from pileus.network.ports.schemas import Changes, CreateBody, FixedIpShape, NewPortShape, UpdateBody
from pileus.network.rest.bodies import (
    check_create,
    check_revision,
    check_update,
    create_all,
    given,
    owner,
    set_plain,
    text,
)
from pileus.network.rest.lists import listed
from pileus.network.security_groups import actions as groups
from pileus.network.settings import settings_of
from pileus.network.tags.actions import replace as set_tags

VNIC_TYPES = ("normal", "direct", "macvtap", "baremetal", "direct-physical", "virtio-forwarder", "smart-nic", "vdpa")


def index(call: Call) -> Json:
    return listed(call, queries.PORTS, queries.seen(call), "ports", views.ports)


def show(call: Call, port: Port) -> Json:
    return {"port": views.ports(call, [port])[0]}


def create(call: Call, body: CreateBody) -> Reply:
    return create_all(call, "port", body.port, body.ports, _create_one, views.ports)


def _create_one(call: Call, new: NewPortShape) -> Port:
    project_id = owner(call, new)
    network = find_network(call.db, call.context, new.network_id)
    target = {"project_id": project_id, "tenant_id": project_id, **network.parent_target()}
    if network.project_id != project_id and not network.shared and not call.context.is_admin:
        message = f"Network {network.id} is not shared: ports on it are made by its owner."
        raise Forbidden(message, kind="PolicyNotAuthorized")
    _check_rules(call, "create_port", new, target, {"port_security_enabled": True, "binding:vnic_type": "normal"})
    settings = settings_of(call.db)
    port = actions.create(
        call.db,
        actions.NewPort(
            network=network,
            project_id=project_id,
            name=text("name", new.name),
            description=text("description", new.description),
            mac_address=macs.checked(new.mac_address) if isinstance(new.mac_address, str) else None,
            addresses=_requests(new.fixed_ips) if isinstance(new.fixed_ips, list) else None,
            admin_state_up=new.admin_state_up is not False,
            device_id=text("device_id", new.device_id or ""),
            device_owner=text("device_owner", new.device_owner or ""),
            security_groups=_groups(call, new, project_id),
            port_security_enabled=new.port_security_enabled if isinstance(new.port_security_enabled, bool) else None,
            address_pairs=options.pairs(new.allowed_address_pairs or [], settings.max_address_pairs, ""),
            dhcp_options=options.dhcp(new.extra_dhcp_opts or []),
            dns_name=hostname(new.dns_name or ""),
            host=text("binding:host_id", new.host_id or ""),
            vnic_type=_vnic_type(new) or "normal",
            binding_profile=new.profile or {},
        ),
    )
    if isinstance(new.tags, list):
        set_tags(call.db, port, new.tags)
    pokes.port(call, port)
    return port


def _check_rules(
    call: Call, action: str, new: Changes, target: Mapping[str, object], defaults: Mapping[str, object]
) -> None:
    """`device_owner` is free but for the owners that are trusted; an address in `fixed_ips` has a rule of its own."""
    for name in ("device_owner",):
        value = given(new).get(name)
        if isinstance(value, str) and value.lower().startswith(SERVICE_PREFIX):
            call.enforce(f"{action}:{name}", target)
    free = {**defaults, "device_owner": new.device_owner}
    if action.startswith("create"):
        check_create(call, action, new, target, free)
    else:
        check_update(call, action, new, target, free)
    if isinstance(new.fixed_ips, list) and any(ip.ip_address for ip in new.fixed_ips):
        call.enforce(f"{action}:fixed_ips:ip_address", target)


def _requests(given: list[FixedIpShape]) -> list[AddressRequest]:
    return [AddressRequest(ip.subnet_id or None, ip.ip_address or None) for ip in given]


def _groups(call: Call, new: Changes, project_id: str) -> list[str] | None:
    if not isinstance(new.security_groups, list):
        return None
    return groups.found(call.db, new.security_groups, project_id, by_admin=call.context.is_admin)


def _vnic_type(new: Changes) -> str | None:
    if not isinstance(new.vnic_type, str):
        return None
    if new.vnic_type not in VNIC_TYPES:
        raise invalid(f"'{new.vnic_type}' is not in [{', '.join(VNIC_TYPES)}].")
    return new.vnic_type


def update(call: Call, port: Port, body: UpdateBody) -> Json:
    new, before = body.port, port.host
    check_revision(call, port)
    _check_rules(call, "update_port", new, port.policy_target(), {})
    _keep_service(port, new)
    pokes.port(call, port)
    set_plain(port, new, ("name", "description", "admin_state_up"))
    for name in ("device_id", "device_owner"):
        value = getattr(new, name)
        if value is None or isinstance(value, str):
            setattr(port, name, text(name, value or ""))
    if new.dns_name is None or isinstance(new.dns_name, str):
        port.dns_name = hostname(new.dns_name or "")
    _update_mac(call, port, new)
    if isinstance(new.allowed_address_pairs, list) or new.allowed_address_pairs is None:
        most = settings_of(call.db).max_address_pairs
        port.address_pairs = options.pairs(new.allowed_address_pairs or [], most, port.mac_address)
    if isinstance(new.extra_dhcp_opts, list):
        port.dhcp_options = options.dhcp(new.extra_dhcp_opts, port.dhcp_options)
    actions.secure(
        port,
        _groups(call, new, port.project_id),
        new.port_security_enabled if isinstance(new.port_security_enabled, bool) else None,
    )
    if isinstance(new.fixed_ips, list):
        actions.readdress(call.db, port, _requests(new.fixed_ips))
    _update_binding(call, port, new)
    call.db.flush()
    pokes.port(call, port, before)
    return {"port": views.ports(call, [port])[0]}


def _keep_service(port: Port, new: Changes) -> None:
    """Ports of routers, DHCP and floating IPs are what they are through their owner."""
    fixed = {
        "fixed_ips",
        "device_id",
        "device_owner",
        "mac_address",
        "security_groups",
        "allowed_address_pairs",
        "port_security_enabled",
    }
    if port.made_by != SERVICE and port.router_id is None:
        return
    held = views.plain(port)
    asked = {name: value for name, value in given(new).items() if name in fixed and value != held[name]}
    if isinstance(new.fixed_ips, list) and _same_addresses(port, new.fixed_ips):
        asked.pop("fixed_ips", None)
    changed = sorted(asked)
    if changed:
        message = f"Port {port.id} belongs to {port.device_owner} {port.device_id}: its {', '.join(changed)} cannot be changed here."
        raise BadRequest(message, kind="BadRequest")


def _same_addresses(port: Port, given: list[FixedIpShape]) -> bool:
    """A request that names the subnets alone asks for no change."""
    held = {(ip.subnet_id, address) for ip in port.fixed_ips for address in (None, ip.ip_address)}
    return len(given) == len(port.fixed_ips) and all((ip.subnet_id, ip.ip_address) in held for ip in given)


def _update_mac(call: Call, port: Port, new: Changes) -> None:
    if new.mac_address is UNSET:
        return
    mac = macs.checked(new.mac_address) if isinstance(new.mac_address, str) else macs.make(call.db, port.network_id)
    if mac == port.mac_address:
        return
    if port.server_id is not None:
        raise conflict(
            f"Unable to complete operation on port {port.id}, port is already bound, port type: {port.vif_type}.",
            "PortBound",
        )
    if macs.taken(call.db, port.network_id, mac):
        message = f"Unable to complete operation for network {port.network_id}. The mac address {mac} is in use."
        raise conflict(message, "MacAddressInUse")
    port.mac_address = mac


def _update_binding(call: Call, port: Port, new: Changes) -> None:
    kind = _vnic_type(new)
    if kind is not None and kind != port.vnic_type:
        if port.host:
            raise conflict(
                f"Unable to complete operation on port {port.id}, port is already bound, port type: {port.vif_type}.",
                "PortBound",
            )
        port.vnic_type = kind
    if new.profile is None or isinstance(new.profile, dict):
        port.binding_profile = new.profile or {}
    if new.host_id is None or isinstance(new.host_id, str):
        binding.bind(call.db, port, text("binding:host_id", new.host_id or ""))


def destroy(call: Call, port: Port) -> None:
    """A network's DHCP port may be deleted, as upstream allows; a fresh one takes its place at once."""
    check_revision(call, port)
    actions.check_deletable(port)
    pokes.port(call, port)
    Tag.forget(call.db, port.id)
    network, served = port.network, port.device_owner == DHCP
    actions.destroy(call.db, port)
    if served:
        services.ensure_dhcp(call.db, network)


ROUTES = (
    Route("GET", "/v2.0/ports", index, "get_ports"),
    Route("POST", "/v2.0/ports", create, "create_port", status=201),
    Route("GET", "/v2.0/ports/{port_id}", show, "get_port", load=queries.find),
    Route("PUT", "/v2.0/ports/{port_id}", update, "update_port", load=queries.find),
    Route("DELETE", "/v2.0/ports/{port_id}", destroy, "delete_port", load=queries.find, status=204),
)
