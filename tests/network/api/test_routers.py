"""Routers and floating IPs: interfaces, gateways, routes, and every refusal of the API reference."""

import pytest

from pileus.kernel.http.call import Json
from tests.network.api.client import Api, fault, net, public


def plug(api: Api, router: Json, status: int = 200, verb: str = "add", **what: object) -> Json:
    body: Json = api.call("PUT", f"routers/{router['id']}/{verb}_router_interface", what, status)
    return body


def routed(admin: Api, member: Api) -> tuple[Json, Json, Json, Json]:
    """(external network, network, subnet, router between them)."""
    ext, _ = public(admin)
    network, subnet = net(member)
    router = member.make("router", name="r", external_gateway_info={"network_id": ext["id"]})
    plug(member, router, subnet_id=subnet["id"])
    return ext, network, subnet, router


def test_life_of_a_router(admin: Api, member: Api, other: Api, reader: Api) -> None:
    ext, _, subnet, router = routed(admin, member)
    info = router["external_gateway_info"]
    assert info["network_id"] == ext["id"] and info["enable_snat"] is True
    assert info["external_fixed_ips"][0]["ip_address"].startswith("172.24.4.")
    assert "ha" not in router and admin.show("router", router["id"])["ha"] is False
    assert reader.show("router", router["id"])["status"] == "ACTIVE"
    other.show("router", router["id"], 404)
    (port,) = member.list("port", f"device_id={router['id']}")
    assert (port["device_owner"], port["fixed_ips"][0]["ip_address"], port["status"]) == (
        "network:router_interface",
        "10.0.0.1",
        "ACTIVE",
    )
    assert len(admin.list("port", f"device_id={router['id']}")) == 2
    assert fault(member.drop("router", router["id"], 409)) == "RouterInUse"
    gone = plug(member, router, verb="remove", subnet_id=subnet["id"])
    assert (gone["port_id"], gone["subnet_id"]) == (port["id"], subnet["id"])
    assert member.change("router", router["id"], external_gateway_info={})["external_gateway_info"] is None
    assert admin.list("port", f"device_id={router['id']}") == []
    member.drop("router", router["id"])


def test_interfaces_by_port(member: Api, other: Api) -> None:
    network, subnet = net(member)
    router = member.make("router")
    port = member.make("port", network_id=network["id"])
    assert plug(member, router, port_id=port["id"])["subnet_id"] == subnet["id"]
    shown = member.show("port", port["id"])
    assert (shown["device_owner"], shown["device_id"], shown["security_groups"]) == (
        "network:router_interface",
        router["id"],
        [],
    )
    assert fault(plug(member, router, 409, port_id=port["id"])) == "PortInUse"
    plug(member, router, verb="remove", port_id=port["id"])
    member.show("port", port["id"], 404)
    foreign, foreign_subnet = net(other, cidr="10.3.0.0/24")
    assert (
        fault(plug(member, router, 404, port_id=other.make("port", network_id=foreign["id"])["id"])) == "PortNotFound"
    )
    assert fault(plug(member, router, 404, subnet_id=foreign_subnet["id"])) == "SubnetNotFound"


def test_refused_interfaces(member: Api) -> None:
    _, subnet = net(member)
    _, twin = net(member)
    _, headless = net(member, cidr="10.4.0.0/24", gateway_ip=None)
    router = member.make("router")
    plug(member, router, subnet_id=subnet["id"])
    for bad in (
        {},
        {"subnet_id": subnet["id"], "port_id": "x"},
        {"subnet_id": subnet["id"]},
        {"subnet_id": twin["id"]},
        {"subnet_id": headless["id"]},
    ):
        assert fault(plug(member, router, 400, **bad))
    assert fault(plug(member, router, 404, "remove", subnet_id=twin["id"])) == "RouterInterfaceNotFoundForSubnet"
    assert fault(plug(member, router, 400, "remove")) == "BadRequest"
    assert len(member.list("port", f"device_id={router['id']}")) == 1


def test_gateways(admin: Api, member: Api) -> None:
    ext, ext_subnet = public(admin)
    network, _ = net(member)
    assert member.refused(404, "router", external_gateway_info={"network_id": "missing"}) == "NetworkNotFound"
    assert member.refused(400, "router", external_gateway_info={"network_id": network["id"]}) == "BadRequest"
    info = {"network_id": ext["id"]}
    assert member.refused(403, "router", external_gateway_info={**info, "enable_snat": False}) == "PolicyNotAuthorized"
    fixed = {**info, "external_fixed_ips": [{"subnet_id": ext_subnet["id"], "ip_address": "172.24.4.99"}]}
    assert member.refused(403, "router", external_gateway_info=fixed) == "PolicyNotAuthorized"
    assert member.list("router") == []
    router = admin.make("router", external_gateway_info={**fixed, "enable_snat": False})
    held = router["external_gateway_info"]
    assert held["enable_snat"] is False and held["external_fixed_ips"][0]["ip_address"] == "172.24.4.99"
    again = admin.change("router", router["id"], external_gateway_info=info)["external_gateway_info"]
    assert again == held
    for wrong in ({"distributed": True}, {"ha": True}, {"flavour": 1}, {"availability_zone_hints": ["mars"]}):
        admin.refused(400, "router", **wrong)


def test_extra_routes(member: Api) -> None:
    _, subnet = net(member)
    router = member.make("router")
    plug(member, router, subnet_id=subnet["id"])
    route = {"destination": "10.50.0.0/16", "nexthop": "10.0.0.7"}
    assert member.change("router", router["id"], routes=[route])["routes"] == [route]
    for bad in ("10.9.9.9", "10.0.0.1", "x"):
        member.change("router", router["id"], 400, routes=[{**route, "nexthop": bad}])
    assert fault(plug(member, router, 409, "remove", subnet_id=subnet["id"])) == "RouterInterfaceInUseByRoute"
    other = {"destination": "10.51.0.0/16", "nexthop": "10.0.0.8"}
    added = member.call("PUT", f"routers/{router['id']}/add_extraroutes", {"router": {"routes": [other]}})["router"][
        "routes"
    ]
    assert added == [route, other]
    member.call("PUT", f"routers/{router['id']}/remove_extraroutes", {"router": {"routes": [route]}})
    assert member.change("router", router["id"], routes=None)["routes"] == []


def test_life_of_a_floating_ip(admin: Api, member: Api, other: Api) -> None:
    ext, network, _, router = routed(admin, member)
    port = member.make("port", network_id=network["id"])
    fip = member.make("floatingip", floating_network_id=ext["id"])
    assert (fip["status"], fip["port_id"], fip["router_id"], fip["fixed_ip_address"]) == ("DOWN", None, None, None)
    other.show("floatingip", fip["id"], 404)
    led = member.change("floatingip", fip["id"], port_id=port["id"])
    fixed = port["fixed_ips"][0]["ip_address"]
    assert (led["status"], led["router_id"], led["fixed_ip_address"]) == ("ACTIVE", router["id"], fixed)
    assert led["port_details"]["mac_address"] == port["mac_address"]
    assert member.change("floatingip", fip["id"], description="d")["port_id"] == port["id"]
    assert [one["id"] for one in member.list("floatingip", "status=ACTIVE")] == [fip["id"]]
    second = member.make("floatingip", floating_network_id=ext["id"])
    assert (
        fault(member.change("floatingip", second["id"], 409, port_id=port["id"])) == "FloatingIPPortAlreadyAssociated"
    )
    assert (
        fault(plug(member, router, 409, "remove", subnet_id=port["fixed_ips"][0]["subnet_id"]))
        == "RouterInterfaceInUseByFloatingIP"
    )
    info = fault(member.change("router", router["id"], 409, external_gateway_info=None))
    assert info == "RouterExternalGatewayInUseByFloatingIp"
    member.drop("port", port["id"])
    freed = member.show("floatingip", fip["id"])
    assert (freed["status"], freed["port_id"], freed["router_id"]) == ("DOWN", None, None)
    member.drop("floatingip", fip["id"])
    assert len(admin.list("port", "device_owner=network:floatingip")) == 1


def test_a_choice_of_fixed_addresses(admin: Api, member: Api) -> None:
    ext, network, _, _ = routed(admin, member)
    port = member.make(
        "port", network_id=network["id"], fixed_ips=[{"ip_address": "10.0.0.50"}, {"ip_address": "10.0.0.51"}]
    )
    common = {"floating_network_id": ext["id"], "port_id": port["id"]}
    assert member.refused(400, "floatingip", **common) == "BadRequest"
    assert member.refused(400, "floatingip", **common, fixed_ip_address="10.0.0.99") == "BadRequest"
    first = member.make("floatingip", **common, fixed_ip_address="10.0.0.50")
    member.make("floatingip", **common, fixed_ip_address="10.0.0.51")
    assert member.change("floatingip", first["id"], port_id=None)["fixed_ip_address"] is None
    assert (
        member.refused(400, "floatingip", floating_network_id=ext["id"], fixed_ip_address="10.0.0.50") == "BadRequest"
    )
    assert len(member.list("floatingip")) == 2
    member.change("port", port["id"], fixed_ips=[{"ip_address": "10.0.0.50"}])
    assert [one["port_id"] for one in member.list("floatingip")] == [None, None]


def test_unreachable_and_foreign(admin: Api, member: Api, other: Api) -> None:
    ext, _ = public(admin)
    network, _ = net(member)
    port = member.make("port", network_id=network["id"])
    assert (
        member.refused(404, "floatingip", floating_network_id=ext["id"], port_id=port["id"])
        == "ExternalGatewayForFloatingIPNotFound"
    )
    assert member.refused(400, "floatingip", floating_network_id=network["id"]) == "BadRequest"
    assert member.refused(404, "floatingip", floating_network_id="missing") == "NetworkNotFound"
    assert other.refused(404, "floatingip", floating_network_id=ext["id"], port_id=port["id"]) == "PortNotFound"
    assert (
        member.refused(403, "floatingip", floating_network_id=ext["id"], floating_ip_address="172.24.4.77")
        == "PolicyNotAuthorized"
    )
    assert member.list("floatingip") == []
    assert admin.list("port", "device_owner=network:floatingip") == []
    asked = admin.make("floatingip", floating_network_id=ext["id"], floating_ip_address="172.24.4.77", project_id="p1")
    assert member.show("floatingip", asked["id"])["floating_ip_address"] == "172.24.4.77"


@pytest.mark.parametrize("count", [1, 3])
def test_ipv6_subnets_share_an_interface(member: Api, count: int) -> None:
    network = member.make("network")
    router = member.make("router")
    ports = set()
    for n in range(count):
        subnet = member.make("subnet", network_id=network["id"], ip_version=6, cidr=f"2001:db8:{n}::/64")
        ports.add(plug(member, router, subnet_id=subnet["id"])["port_id"])
    (port,) = ports
    assert len(member.show("port", port)["fixed_ips"]) == count
    plug(member, router, verb="remove", subnet_id=member.list("subnet", "cidr=2001:db8::/64")[0]["id"])
    assert len(member.list("port", f"device_id={router['id']}")) == (count > 1)
