"""Security groups and their rules, and what the service tells of itself."""

import pytest
from starlette.testclient import TestClient

from pileus.network.discovery.extensions import EXTENSIONS
from tests.network.api.client import Api, fault, net


def test_the_default_group_comes_by_itself_and_once(member: Api, other: Api) -> None:
    (group,) = member.list("security_group")
    assert member.list("security_group") == [group]
    assert group["name"] == "default" and group["project_id"] == "p1"
    rules = {(rule["direction"], rule["ethertype"], rule["remote_group_id"]) for rule in group["security_group_rules"]}
    assert rules == {
        ("egress", "IPv4", None),
        ("egress", "IPv6", None),
        ("ingress", "IPv4", group["id"]),
        ("ingress", "IPv6", group["id"]),
    }
    assert other.list("security_group")[0]["id"] != group["id"]
    assert fault(member.drop("security_group", group["id"], 409)) == "SecurityGroupCannotRemoveDefault"
    assert fault(member.change("security_group", group["id"], 409, name="x")) == "SecurityGroupCannotUpdateDefault"
    assert member.refused(409, "security_group", name="default") == "SecurityGroupDefaultAlreadyExists"
    other.show("security_group", group["id"], 404)


def test_an_administrator_may_remove_a_default_group_and_it_comes_back(admin: Api, member: Api) -> None:
    (group,) = member.list("security_group")
    admin.drop("security_group", group["id"])
    (again,) = member.list("security_group")
    assert again["id"] != group["id"] and len(again["security_group_rules"]) == 4


def test_life_of_a_group(member: Api, reader: Api) -> None:
    group = member.make("security_group", name="web", description="d")
    assert len(group["security_group_rules"]) == 2 and group["stateful"] is True
    rule = member.make(
        "security_group_rule",
        security_group_id=group["id"],
        direction="ingress",
        protocol="TCP",
        port_range_min=22,
        port_range_max="22",
    )
    assert (rule["protocol"], rule["ethertype"], rule["port_range_max"]) == ("tcp", "IPv4", 22)
    assert reader.show("security_group_rule", rule["id"]) == rule
    assert rule["id"] in [one["id"] for one in member.show("security_group", group["id"])["security_group_rules"]]
    assert [
        one["id"] for one in member.list("security_group_rule", f"security_group_id={group['id']}&direction=ingress")
    ] == [rule["id"]]
    member.drop("security_group_rule", rule["id"])
    assert fault(member.show("security_group_rule", rule["id"], 404)) == "SecurityGroupRuleNotFound"
    network, _ = net(member)
    port = member.make("port", network_id=network["id"], security_groups=[group["id"]])
    assert fault(member.drop("security_group", group["id"], 409)) == "SecurityGroupInUse"
    member.change("port", port["id"], security_groups=[])
    member.drop("security_group", group["id"])
    reader.call("POST", "security-groups", {"security_group": {"name": "x"}}, 403)


@pytest.mark.parametrize(
    ("bad", "part"),
    [
        ({"protocol": "bad_protocol_name"}, "bad_protocol_name"),
        ({"protocol": 256}, "256"),
        ({"ethertype": "bad_ethertype"}, "bad_ethertype"),
        ({"direction": "sideways"}, "sideways"),
        ({"remote_ip_prefix": "192.168.1./24"}, "192.168.1./24"),
        ({"remote_ip_prefix": "10.0.0.0/24\n"}, ""),
        ({"remote_ip_prefix": "2001:db8::/32"}, "ethertype"),
        ({"protocol": "tcp", "port_range_min": -16, "port_range_max": 80}, "Invalid value for port -16"),
        ({"protocol": "tcp", "port_range_min": 80, "port_range_max": 79}, "port_range_min must be <= port_range_max"),
        ({"protocol": "tcp", "port_range_min": 80, "port_range_max": 65536}, "Invalid value for port 65536"),
        ({"protocol": "tcp", "port_range_max": 6}, "port_range_min must be <= port_range_max"),
        ({"protocol": "icmp", "port_range_min": 1, "port_range_max": 256}, "Invalid value for ICMP code"),
        ({"protocol": "icmp", "port_range_max": 6}, "ICMP type (port-range-min) is missing"),
        ({"protocol": "icmp", "port_range_min": 300, "port_range_max": 1}, "Invalid value for ICMP type"),
        ({"port_range_min": 80, "port_range_max": 80}, "protocol"),
        ({"protocol": "gre", "port_range_min": 80, "port_range_max": 80}, "gre"),
        ({"protocol": "icmpv6"}, "IPv4"),
        ({"remote_ip_prefix": "10.0.0.0/8", "remote_group_id": "x"}, "Only"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_bad_rules_change_nothing(member: Api, bad: dict[str, object], part: str) -> None:
    group = member.make("security_group", name="g")["id"]
    status = 201 if not part else 400
    reply = member.call(
        "POST",
        "security-group-rules",
        {"security_group_rule": {"security_group_id": group, "direction": "ingress", **bad}},
        status,
    )
    if status == 400:
        assert part in reply["NeutronError"]["message"]
        assert len(member.list("security_group_rule", f"security_group_id={group}")) == 2


def test_rules_that_exist_or_name_what_does_not(member: Api, other: Api) -> None:
    group = member.make("security_group", name="g")["id"]
    common = {"security_group_id": group, "direction": "ingress"}
    member.make(
        "security_group_rule",
        **common,
        protocol="tcp",
        port_range_min=80,
        port_range_max=80,
        remote_ip_prefix="0.0.0.0/0",
    )
    same = {"protocol": 6, "port_range_min": 80, "port_range_max": 80}
    assert member.refused(409, "security_group_rule", **common, **same) == "SecurityGroupRuleExists"
    foreign = other.make("security_group", name="f")["id"]
    for missing in (foreign, "missing"):
        assert member.refused(404, "security_group_rule", **common, remote_group_id=missing) == "SecurityGroupNotFound"
        assert (
            member.refused(404, "security_group_rule", security_group_id=missing, direction="ingress")
            == "SecurityGroupNotFound"
        )
    made = member.call(
        "POST",
        "security-group-rules",
        {"security_group_rules": [{**common, "protocol": "17"}, {**common, "protocol": "sctp"}]},
        201,
    )
    assert [rule["protocol"] for rule in made["security_group_rules"]] == ["17", "sctp"]
    assert member.refused(409, "security_group_rule", **common, protocol="udp") == "SecurityGroupRuleExists"


def test_a_group_that_rules_name_goes_with_them(member: Api) -> None:
    one, two = member.make("security_group", name="a")["id"], member.make("security_group", name="b")["id"]
    rule = member.make("security_group_rule", security_group_id=one, direction="ingress", remote_group_id=two)
    member.drop("security_group", two)
    member.show("security_group_rule", rule["id"], 404)


def test_discovery(http: TestClient, member: Api, admin: Api) -> None:
    assert http.get("/network/").json()["versions"][0]["id"] == "v2.0"
    assert {one["name"] for one in http.get("/network/v2.0").json()["resources"]} >= {"network", "subnet", "port"}
    served = member.call("GET", "extensions")["extensions"]
    assert {one["alias"] for one in served} == set(EXTENSIONS)
    assert member.call("GET", "extensions/router")["extension"]["alias"] == "router"
    assert fault(member.call("GET", "extensions/magic", None, 404)) == "ExtensionNotFound"
    zones = member.call("GET", "availability_zones")["availability_zones"]
    assert {(one["name"], one["resource"]) for one in zones} == {("nova", "network"), ("nova", "router")}
    assert member.call("GET", "service-providers") == {"service_providers": []}
    agents = admin.list("agent")
    assert {one["agent_type"] for one in agents} >= {"DHCP agent", "L3 agent"} and all(one["alive"] for one in agents)
    assert admin.show("agent", agents[0]["id"])["host"] == "h1"
    assert [one["agent_type"] for one in admin.list("agent", "binary=neutron-l3-agent")] == ["L3 agent"]
    admin.call("GET", "agents?colour=red", None, 400)
    assert member.list("agent") == []
    member.call("GET", f"agents/{agents[0]['id']}", None, 403)
    assert http.get("/network/v2.0/networks").json()["error"]["code"] == 401
    assert fault(member.call("GET", "nothing", None, 404)) == "HTTPNotFound"
