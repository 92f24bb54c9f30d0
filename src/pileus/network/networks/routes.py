from pileus.kernel.http.call import Call, Json, Reply
from pileus.kernel.http.routes import Route
from pileus.kernel.http.schema import UNSET
from pileus.network import pokes
from pileus.network.attributes import Tag
from pileus.network.dns import domain
from pileus.network.drivers.types import base as types
from pileus.network.drivers.types.base import Carrier
from pileus.network.errors import invalid
from pileus.network.networks import actions, queries, views
from pileus.network.networks.models import Network
from pileus.network.networks.schemas import Attributes, CreateBody, NewNetwork, UpdateBody
from pileus.network.rest.bodies import check_create, check_revision, check_update, create_all, owner, set_plain, text
from pileus.network.rest.lists import listed
from pileus.network.security_groups.actions import ensure_default
from pileus.network.settings import settings_of

PLAIN = ("name", "description", "admin_state_up", "port_security_enabled")


def index(call: Call) -> Json:
    return listed(call, queries.NETWORKS, queries.seen(call), "networks", views.networks)


def show(call: Call, network: Network) -> Json:
    return {"network": views.networks(call, [network])[0]}


def create(call: Call, body: CreateBody) -> Reply:
    return create_all(call, "network", body.network, body.networks, _create_one, views.networks)


def _create_one(call: Call, new: NewNetwork) -> Network:
    project_id = owner(call, new)
    target = {"project_id": project_id, "tenant_id": project_id}
    check_create(call, "create_network", new, target, {"port_security_enabled": True})
    ensure_default(call.db, project_id)
    network = Network(
        name=text("name", new.name),
        description=text("description", new.description),
        admin_state_up=new.admin_state_up is not False,
        shared=new.shared is True,
        external=new.external is True,
        is_default=new.is_default is True,
        port_security_enabled=new.port_security_enabled is not False,
        dns_domain=domain(new.dns_domain) if isinstance(new.dns_domain, str) else "",
        availability_zone_hints=_hints(new),
    )
    return actions.create(
        call.db, project_id, network, _carrier(call, new), new.mtu if isinstance(new.mtu, int) else None
    )


def _hints(new: NewNetwork) -> list[str]:
    hints = new.availability_zone_hints if isinstance(new.availability_zone_hints, list) else []
    if any(hint != views.ZONE for hint in hints):
        raise invalid(f"AvailabilityZone not found: this cloud has {views.ZONE}.", "AvailabilityZoneNotFound")
    return hints


def _carrier(call: Call, new: Attributes) -> Carrier | None:
    """What an administrator asked for; None when nothing was."""
    kind, physical, number = (value or None for value in (new.network_type, new.physical_network, new.segmentation_id))
    if kind is None and physical is None and number is None:
        return None
    if not isinstance(kind, str):
        raise invalid("provider:network_type is required with the other provider attributes.")
    driver = types.load(kind, settings_of(call.db))
    if number is None and physical is None and (free := driver.allocate(call.db)) is not None:
        return free
    return driver.provide(physical if isinstance(physical, str) else None, number if isinstance(number, int) else None)


def update(call: Call, network: Network, body: UpdateBody) -> Json:
    new = body.network
    check_revision(call, network)
    check_update(call, "update_network", new, network.policy_target())
    if any(value is not UNSET for value in (new.network_type, new.physical_network, new.segmentation_id)):
        raise invalid("Plugin does not support updating provider attributes.")
    set_plain(network, new, PLAIN)
    if isinstance(new.dns_domain, str):
        network.dns_domain = domain(new.dns_domain)
    if isinstance(new.mtu, int):
        actions.set_mtu(call.db, network, new.mtu)
    if isinstance(new.shared, bool):
        actions.set_shared(call.db, network, new.shared)
    if new.external is not UNSET or new.is_default is not UNSET:
        external = new.external if isinstance(new.external, bool) else network.external
        default = new.is_default if isinstance(new.is_default, bool) else network.is_default
        actions.set_external(call.db, network, external, default)
    call.db.flush()
    pokes.networks(call, network.id)
    return {"network": views.networks(call, [network])[0]}


def destroy(call: Call, network: Network) -> None:
    check_revision(call, network)
    pokes.networks(call, network.id)
    Tag.forget(call.db, network.id)
    actions.destroy(call.db, network)


ROUTES = (
    Route("GET", "/v2.0/networks", index, "get_networks"),
    Route("POST", "/v2.0/networks", create, "create_network", status=201),
    Route("GET", "/v2.0/networks/{network_id}", show, "get_network", load=queries.find),
    Route("PUT", "/v2.0/networks/{network_id}", update, "update_network", load=queries.find),
    Route("DELETE", "/v2.0/networks/{network_id}", destroy, "delete_network", load=queries.find, status=204),
)
