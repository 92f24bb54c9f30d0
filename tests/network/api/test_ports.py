"""Ports: addresses, MACs, groups, binding, and what only owners of the network may say."""

import pytest

from pileus.kernel.bus.memory import MemoryBus
from pileus.kernel.cloud import Cloud
from pileus.kernel.context import Context
from pileus.network import internal
from pileus.network.agent.snapshot import NetworkReport
from tests.network.api.client import Api, fault, net, public


def test_life_of_a_port(member: Api, reader: Api, other: Api, admin: Api) -> None:
    network, subnet = net(member)
    port = member.make("port", network_id=network["id"], name="p")
    assert port["mac_address"].startswith("fa:16:3e:") and port["status"] == "DOWN"
    assert port["fixed_ips"][0]["subnet_id"] == subnet["id"]
    assert len(port["security_groups"]) == 1 and port["port_security_enabled"] is True
    assert "binding:host_id" not in port and port["binding:vnic_type"] == "normal"
    assert reader.show("port", port["id"]) == port
    assert admin.show("port", port["id"])["binding:vif_type"] == "unbound"
    assert fault(other.show("port", port["id"], 404)) == "PortNotFound"
    changed = member.change("port", port["id"], name="q", device_id="thing", admin_state_up=False, security_groups=[])
    assert (changed["name"], changed["device_id"], changed["security_groups"]) == ("q", "thing", [])
    member.drop("port", port["id"])
    member.show("port", port["id"], 404)


def test_fixed_addresses(member: Api) -> None:
    network, subnet = net(member)
    nid = network["id"]
    port = member.make("port", network_id=nid, fixed_ips=[{"subnet_id": subnet["id"], "ip_address": "10.0.0.50"}])
    assert (
        member.refused(409, "port", network_id=nid, fixed_ips=[{"ip_address": "10.0.0.50"}])
        == "IpAddressAlreadyAllocated"
    )
    for bad, kind in (
        ({"ip_address": "10.9.0.1"}, "InvalidIpForNetwork"),
        ({"subnet_id": subnet["id"], "ip_address": "10.9.0.1"}, "InvalidIpForSubnet"),
        ({"subnet_id": subnet["id"], "ip_address": "10.0.0.0"}, "InvalidIpForSubnet"),
        ({"ip_address": "10.0.0.300"}, "InvalidInput"),
        ({"subnet_id": "missing"}, "InvalidInput"),
        ({}, "InvalidInput"),
    ):
        assert member.refused(400, "port", network_id=nid, fixed_ips=[bad]) == kind
    assert len(member.list("port", "device_owner=")) == 1
    assert member.list("port", "fixed_ips=ip_address=10.0.0.50")[0]["id"] == port["id"]
    more = [{"ip_address": "10.0.0.50"}, {"subnet_id": subnet["id"]}]
    changed = member.change("port", port["id"], fixed_ips=more)
    assert changed["fixed_ips"][0]["ip_address"] == "10.0.0.50" and len(changed["fixed_ips"]) == 2
    assert member.change("port", port["id"], fixed_ips=[])["fixed_ips"] == []


def test_the_pool_runs_out_and_comes_back(member: Api) -> None:
    network, _ = net(member, cidr="10.0.0.0/29")
    ports = [member.make("port", network_id=network["id"]) for _ in range(4)]
    assert len({ip["ip_address"] for port in ports for ip in port["fixed_ips"]}) == 4
    assert member.refused(409, "port", network_id=network["id"]) == "IpAddressGenerationFailure"
    assert len(member.list("port")) == 5
    member.drop("port", ports[2]["id"])
    assert (
        member.make("port", network_id=network["id"])["fixed_ips"][0]["ip_address"]
        == ports[2]["fixed_ips"][0]["ip_address"]
    )


def test_macs(member: Api, admin: Api) -> None:
    network, _ = net(member)
    port = member.make("port", network_id=network["id"], mac_address="FA:16:3E:00:00:01")
    assert port["mac_address"] == "fa:16:3e:00:00:01"
    assert member.refused(409, "port", network_id=network["id"], mac_address="fa:16:3e:00:00:01") == "MacAddressInUse"
    for bad in ("nonsense", "01:00:5e:00:00:01", "00:00:00:00:00:00", "fa:16:3e:00:00:01\n,x"):
        member.refused(400, "port", network_id=network["id"], mac_address=bad)
    member.change("port", port["id"], 403, mac_address="fa:16:3e:00:00:02")
    assert admin.change("port", port["id"], mac_address="fa:16:3e:00:00:02")["mac_address"] == "fa:16:3e:00:00:02"


@pytest.mark.parametrize(
    "bad",
    [
        {"extra_dhcp_opts": [{"opt_name": "bootfile-name", "opt_value": "x\nlog-dhcp"}]},
        {"extra_dhcp_opts": [{"opt_name": "a b", "opt_value": "x"}]},
        {"extra_dhcp_opts": [{"opt_name": "x", "opt_value": "y", "ip_version": 5}]},
        {"allowed_address_pairs": [{"ip_address": "10.0.0.0/99"}]},
        {"allowed_address_pairs": [{"ip_address": "224.0.0.5"}]},
        {"allowed_address_pairs": [{"ip_address": "10.0.0.9"}, {"ip_address": "10.0.0.9"}]},
        {"allowed_address_pairs": [{"ip_address": f"10.0.0.{n}"} for n in range(12)]},
        {"allowed_address_pairs": [{"mac_address": "fa:16:3e:00:00:01"}]},
        {"dns_name": "a,b"},
        {"dns_name": "a\nb"},
        {"device_id": "x" * 300},
        {"binding:vnic_type": "magic"},
        {"fixed_ips": "10.0.0.5"},
        {"port_security_enabled": "perhaps"},
        {"colour": "red"},
    ],
)
def test_bad_ports_change_nothing(member: Api, bad: dict[str, object]) -> None:
    network, _ = net(member)
    member.refused(400, "port", network_id=network["id"], **bad)
    assert member.list("port", "device_owner=") == []


def test_what_only_the_networks_owner_or_an_administrator_says(admin: Api, member: Api, http: object) -> None:
    """A manager on somebody else's shared network may not pose as a DHCP server (CVE-2026-50266) or lift anti-spoofing."""
    shared = admin.make("network", shared=True)
    admin.make("subnet", network_id=shared["id"], ip_version=4, cidr="10.7.0.0/24")
    manager = Api(member.http, "p1:manager,member,reader")
    for attribute in (
        {"device_owner": "network:dhcp"},
        {"device_owner": "Network:router_interface"},
        {"mac_address": "fa:16:3e:00:00:09"},
        {"port_security_enabled": False},
        {"allowed_address_pairs": [{"ip_address": "10.7.0.0/24"}]},
        {"fixed_ips": [{"ip_address": "10.7.0.9"}]},
        {"binding:host_id": "h1"},
        {"binding:profile": {"x": 1}},
    ):
        assert manager.refused(403, "port", network_id=shared["id"], **attribute) == "PolicyNotAuthorized", attribute
    port = manager.make("port", network_id=shared["id"], device_owner="mine")
    manager.change("port", port["id"], 403, device_owner="network:dhcp")
    manager.change("port", port["id"], 403, port_security_enabled=False)
    assert [one["id"] for one in manager.list("port")] == [port["id"]]


def test_a_port_named_after_a_router_does_not_join_it(member: Api, other: Api, admin: Api) -> None:
    """CVE-2014-0056: what plugs a port into a router is the router's owner, not words on the port."""
    router = other.make("router", name="r")
    network, _ = net(member)
    member.make("port", network_id=network["id"], device_owner="network:router_interface", device_id=router["id"])
    other.drop("router", router["id"])
    ext, _ = public(admin)
    assert member.refused(403, "port", network_id=ext["id"]) == "PolicyNotAuthorized"


def test_groups_and_port_security(member: Api, other: Api) -> None:
    network, _ = net(member)
    mine, foreign = member.make("security_group", name="g")["id"], other.make("security_group", name="f")["id"]
    assert member.refused(404, "port", network_id=network["id"], security_groups=[foreign]) == "SecurityGroupNotFound"
    port = member.make("port", network_id=network["id"], security_groups=[mine, mine])
    assert port["security_groups"] == [mine]
    assert (
        fault(member.change("port", port["id"], 409, port_security_enabled=False))
        == "PortSecurityAndIPRequiredForSecurityGroups"
    )
    changed = member.change("port", port["id"], port_security_enabled=False, security_groups=[])
    assert changed["port_security_enabled"] is False
    assert (
        fault(member.change("port", port["id"], 409, allowed_address_pairs=[{"ip_address": "10.0.0.9"}]))
        == "AddressPairAndPortSecurityRequired"
    )


def test_binding_and_status(admin: Api, member: Api, cloud: Cloud) -> None:
    network, _ = net(member)
    port = member.make("port", network_id=network["id"])["id"]
    assert admin.change("port", port, 200, **{"binding:host_id": "nowhere"})["binding:vif_type"] == "binding_failed"
    bound = admin.change("port", port, 200, **{"binding:host_id": "h1"})
    assert (bound["binding:vif_type"], bound["status"]) == ("tap", "BUILD")
    with cloud.db.writing() as db:
        before = internal.generation(db)
        assert internal.apply_report(db, NetworkReport("h1", 1, (port,))) == []
        assert internal.generation(db) == before
    assert (
        member.show("port", port)["status"] == "ACTIVE"
        and member.list("port", "status=ACTIVE&device_owner=")[0]["id"] == port
    )
    assert member.show("port", port)["revision_number"] == bound["revision_number"]
    with cloud.db.writing() as db:
        internal.apply_report(db, NetworkReport("h1", 2, (), faults={port: "no bridge"}))
    assert member.show("port", port)["status"] == "DOWN" and member.list("port", "status=DOWN")[0]["id"] == port
    assert isinstance(cloud.bus, MemoryBus) and ("agent.h1", "changed", {}) in cloud.bus.casts


def test_bulk_with_tags_is_all_or_none(member: Api) -> None:
    network, _ = net(member)
    body = {"network_id": network["id"]}
    made = member.call("POST", "ports", {"ports": [{**body, "tags": ["a"]}, body]}, 201)["ports"]
    assert [port["tags"] for port in made] == [["a"], []]
    member.call("POST", "ports", {"ports": [body, {"network_id": "missing"}]}, 404)
    assert len(member.list("port", "device_owner=")) == 2


def test_ports_of_services_are_changed_through_their_owner(member: Api, admin: Api) -> None:
    _, subnet = net(member)
    router = member.make("router")
    port_id = member.call("PUT", f"routers/{router['id']}/add_router_interface", {"subnet_id": subnet["id"]})["port_id"]
    assert fault(member.drop("port", port_id, 409)) == "ServicePortInUse"
    changes: list[dict[str, object]] = [{"device_id": ""}, {"fixed_ips": []}, {"device_owner": "compute:nova"}]
    for change in changes:
        assert fault(member.change("port", port_id, 400, **change)) == "BadRequest"
    same = [{"subnet_id": subnet["id"]}]
    assert member.change("port", port_id, name="mine", fixed_ips=same)["fixed_ips"][0]["ip_address"] == "10.0.0.1"


def test_addresses_in_a_large_pool(member: Api, cloud: Cloud) -> None:
    network, _ = net(member, cidr="10.0.0.0/8")
    context = Context(project_id="p1", roles=("member",))
    with cloud.db.writing() as db:
        plan = internal.plan_nics(db, context, [internal.NicRequest(network_id=network["id"])] * 50)
        made = internal.attach_nics(db, context, plan, "s1")
    assert len({port.fixed_ips[0].ip_address for port in made}) == 50
