"""Subnets: defaults, checks of every address, pools, DHCP ports that follow."""

import pytest

from pileus.kernel.cloud import Cloud
from pileus.network import internal
from tests.network.api.client import Api, fault, net


def test_defaults(member: Api) -> None:
    _, subnet = net(member)
    assert subnet["gateway_ip"] == "10.0.0.1" and subnet["enable_dhcp"] is True
    assert subnet["allocation_pools"] == [{"start": "10.0.0.2", "end": "10.0.0.254"}]
    assert (subnet["dns_nameservers"], subnet["host_routes"], subnet["ipv6_ra_mode"]) == ([], [], None)


def test_all_attributes_and_their_change(member: Api) -> None:
    _, subnet = net(
        member,
        gateway_ip="10.0.0.9",
        allocation_pools=[{"start": "10.0.0.100", "end": "10.0.0.120"}],
        dns_nameservers=["9.9.9.9", "1.1.1.1"],
        host_routes=[{"destination": "10.20.0.0/16", "nexthop": "10.0.0.4"}],
        enable_dhcp="false",
    )
    assert member.show("subnet", subnet["id"]) == subnet
    assert subnet["dns_nameservers"] == ["9.9.9.9", "1.1.1.1"]
    assert member.list("port", f"network_id={subnet['network_id']}") == []
    changed = member.change(
        "subnet", subnet["id"], gateway_ip=None, dns_nameservers=[], host_routes=[], enable_dhcp=True, name="s"
    )
    assert (changed["gateway_ip"], changed["dns_nameservers"], changed["host_routes"]) == (None, [], [])
    (dhcp,) = member.list("port", "device_owner=network:dhcp")
    assert dhcp["fixed_ips"][0]["ip_address"] == "10.0.0.100" and dhcp["status"] == "ACTIVE"
    member.change("subnet", subnet["id"], enable_dhcp=False)
    assert member.list("port") == []


@pytest.mark.parametrize(
    ("bad", "status"),
    [
        ({"cidr": "10.0.0.0/33"}, 400),
        ({"cidr": "10.0.0.0"}, 400),
        ({"cidr": "nonsense/24"}, 400),
        ({"cidr": "10.0.0.0/24\n"}, 201),  # blanks around are not meant
        ({"cidr": "224.0.0.0/24"}, 400),
        ({"cidr": "0.0.0.0/0"}, 400),
        ({"cidr": "2001:db8::/64"}, 400),
        ({"ip_version": 5}, 400),
        ({"ip_version": "four"}, 400),
        ({"cidr": None}, 400),
        ({"gateway_ip": "10.1.0.1"}, 400),
        ({"gateway_ip": "10.0.0.255"}, 400),
        ({"gateway_ip": "10.0.0.1\nserver=x"}, 400),
        ({"gateway_ip": "10.0.0.5", "allocation_pools": [{"start": "10.0.0.2", "end": "10.0.0.9"}]}, 409),
        ({"allocation_pools": [{"start": "10.0.0.9", "end": "10.0.0.2"}]}, 400),
        ({"allocation_pools": [{"start": "10.0.0.9", "end": "10.0.1.2"}]}, 400),
        ({"allocation_pools": [{"start": "10.0.0.9"}]}, 400),
        (
            {"allocation_pools": [{"start": "10.0.0.2", "end": "10.0.0.9"}, {"start": "10.0.0.9", "end": "10.0.0.20"}]},
            409,
        ),
        ({"dns_nameservers": ["9.9.9.9\ndhcp-script=/x"]}, 400),
        ({"dns_nameservers": ["example.org"]}, 400),
        ({"dns_nameservers": ["1.1.1.1", "1.1.1.1"]}, 400),
        ({"dns_nameservers": [f"1.1.1.{n}" for n in range(9)]}, 400),
        ({"host_routes": [{"destination": "10.20.0.0/16", "nexthop": "x"}]}, 400),
        ({"host_routes": [{"destination": "10.20.0.1/16", "nexthop": "10.0.0.3"}]}, 400),
        ({"host_routes": [{"destination": "10.20.0.0/16"}]}, 400),
        ({"ipv6_ra_mode": "slaac"}, 400),
        ({"network_id": "missing"}, 404),
        ({"subnetpool_id": "missing"}, 404),
        ({"prefixlen": 24}, 400),
        ({"colour": "red"}, 400),
    ],
)
def test_bad_subnets_change_nothing(member: Api, bad: dict[str, object], status: int) -> None:
    network = member.make("network")
    body = {"network_id": network["id"], "ip_version": 4, "cidr": "10.0.0.0/24", **bad}
    reply = member.call("POST", "subnets", {"subnet": body}, status)
    if status != 201:
        assert fault(reply)
        assert member.list("subnet") == []
        assert member.list("port") == []


def test_host_bits_are_cleared_and_overlaps_refused(member: Api) -> None:
    network, _ = net(member, cidr="10.0.0.77/24")
    assert member.list("subnet")[0]["cidr"] == "10.0.0.0/24"
    assert member.refused(400, "subnet", network_id=network["id"], ip_version=4, cidr="10.0.0.128/25") == "InvalidInput"
    member.make("subnet", network_id=network["id"], ip_version=4, cidr="10.0.1.0/24")


def test_the_dhcp_port_has_an_address_in_each_subnet(member: Api, cloud: Cloud) -> None:
    network, first = net(member)
    second = member.make("subnet", network_id=network["id"], ip_version=4, cidr="10.0.1.0/24")
    (port,) = member.list("port", "device_owner=network:dhcp")
    assert {ip["subnet_id"] for ip in port["fixed_ips"]} == {first["id"], second["id"]}
    member.drop("subnet", second["id"])
    (port,) = member.list("port", "device_owner=network:dhcp")
    assert {ip["subnet_id"] for ip in port["fixed_ips"]} == {first["id"]}
    member.drop("port", port["id"])
    (fresh,) = member.list("port", "device_owner=network:dhcp")
    assert fresh["id"] != port["id"] and len(fresh["fixed_ips"]) == 1
    with cloud.db.writing() as db:
        before = internal.generation(db)
        internal.ensure_services(db)
        assert internal.generation(db) == before


def test_ipv6_modes(member: Api) -> None:
    network = member.make("network")
    six = {"network_id": network["id"], "ip_version": 6}
    slaac = {"ipv6_ra_mode": "slaac", "ipv6_address_mode": "slaac"}
    for bad in (
        {"ipv6_ra_mode": "slaac", "ipv6_address_mode": "dhcpv6-stateful"},
        {"ipv6_ra_mode": "magic"},
        {**slaac, "cidr": "2001:db8::/48"},
        {**slaac, "enable_dhcp": False},
    ):
        member.refused(400, "subnet", **{"cidr": "2001:db8::/64", **six, **bad})
    subnet = member.make("subnet", cidr="2001:db8::/64", **six, **slaac)
    port = member.make("port", network_id=network["id"], mac_address="fa:16:3e:12:34:56")
    assert [ip["ip_address"] for ip in port["fixed_ips"]] == ["2001:db8::f816:3eff:fe12:3456"]
    bad_port = {"network_id": network["id"], "fixed_ips": [{"subnet_id": subnet["id"], "ip_address": "2001:db8::5"}]}
    assert member.refused(400, "port", **bad_port) == "AllocationOnAutoAddressSubnet"
    stateful = member.make(
        "subnet", cidr="2001:db8:1::/64", **six, ipv6_ra_mode="dhcpv6-stateful", ipv6_address_mode="dhcpv6-stateful"
    )
    both = member.make("port", network_id=network["id"])
    assert {ip["subnet_id"] for ip in both["fixed_ips"]} == {subnet["id"], stateful["id"]}
    member.drop("port", both["id"])
    member.drop("subnet", subnet["id"])
    assert member.show("port", port["id"])["fixed_ips"] == []


def test_subnet_pools(member: Api, other: Api) -> None:
    pool = member.make(
        "subnetpool", name="p", prefixes=["10.8.0.0/16"], default_prefixlen=26, min_prefixlen=24, max_prefixlen=28
    )
    network = member.make("network")
    common = {"network_id": network["id"], "ip_version": 4, "subnetpool_id": pool["id"]}
    made = [
        member.make("subnet", **common)["cidr"],
        member.make("subnet", prefixlen=24, **common)["cidr"],
        member.make("subnet", **common)["cidr"],
    ]
    assert made == ["10.8.0.0/26", "10.8.1.0/24", "10.8.0.64/26"]
    assert member.make("subnet", cidr="10.8.9.0/24", **common)["subnetpool_id"] == pool["id"]
    assert member.refused(409, "subnet", cidr="10.8.9.0/25", **common) == "SubnetAllocationError"
    assert member.refused(400, "subnet", prefixlen=20, **common) == "MinPrefixSubnetAllocationError"
    assert member.refused(400, "subnet", prefixlen=30, **common) == "MaxPrefixSubnetAllocationError"
    assert fault(member.drop("subnetpool", pool["id"], 409)) == "SubnetPoolDeleteError"
    other.show("subnetpool", pool["id"], 404)
    bodies: list[dict[str, object]] = [
        {"prefixes": []},
        {"prefixes": ["10.0.0.0/8", "2001:db8::/32"]},
        {"prefixes": ["10.0.0.0/8"], "min_prefixlen": 40},
    ]
    for bad in bodies:
        member.refused(400, "subnetpool", name="bad", **bad)
    assert member.change("subnetpool", pool["id"], name="q", prefixes=["10.8.0.0/15"])["prefixes"] == ["10.8.0.0/15"]


def test_availability(admin: Api, member: Api) -> None:
    network, _ = net(member, cidr="10.0.0.0/28")
    (shown,) = admin.call("GET", f"network-ip-availabilities?network_id={network['id']}")["network_ip_availabilities"]
    assert (shown["total_ips"], shown["used_ips"]) == (13, 1)
    member.call("GET", "network-ip-availabilities", None, 403)
