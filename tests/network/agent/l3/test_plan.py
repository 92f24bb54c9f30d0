"""What a router comes to: devices, routes and rules; and what of it can be read back from the kernel."""

import msgspec
import pytest
from tests.network.agent.l3.world import FLOATING, OUTSIDE_GATEWAY, ROUTER_OUTSIDE, Project

from pileus.network.agent.l3 import ruleset
from pileus.network.agent.l3.announce import frame
from pileus.network.agent.l3.plan import Plan, plan_of
from pileus.network.agent.l3.ruleset import RouterRules
from pileus.network.agent.l3.standing import Standing
from pileus.network.agent.netlink import Route
from pileus.network.agent.snapshot import Router, Subnet


@pytest.fixture
def project() -> Project:
    return Project("/state")


def planned(project: Project, **changes: object) -> Plan:
    router: Router = msgspec.structs.replace(project.router, **changes)
    networks = {network.id: network for network in project.snapshot().networks}
    return plan_of(router, networks, project.settings)


def test_legs_carry_their_addresses(project: Project) -> None:
    plan = planned(project)
    assert [(leg.prefix, sorted(leg.addresses)) for leg in plan.legs] == [
        ("qr-", ["10.10.0.1/24"]),
        ("qr-", ["10.20.0.1/24"]),
        ("qg-", [f"{ROUTER_OUTSIDE}/24", f"{FLOATING}/32"]),
    ]
    assert all(len(leg.device) <= 15 and len(leg.outside) <= 15 for leg in plan.legs)


def test_default_route_and_static_routes(project: Project) -> None:
    red, _, outside = (leg.device for leg in planned(project).legs)
    plan = planned(project, routes=(("192.168.0.0/16", "10.10.0.12"),))
    assert plan.routes == {
        Route("0.0.0.0/0", OUTSIDE_GATEWAY, outside),
        Route("192.168.0.0/16", "10.10.0.12", red),
    }


def test_other_subnets_of_the_external_network_are_on_its_link(project: Project) -> None:
    further = Subnet("1" * 36, "198.51.100.0/24", 4, "198.51.100.1", False)
    project.outside = msgspec.structs.replace(project.outside, subnets=(*project.outside.subnets, further))
    plan = planned(project)
    assert Route("198.51.100.0/24", None, plan.legs[-1].device) in plan.routes


@pytest.mark.parametrize("changes", [{"routes": (("10.0.0.0/8", "192.0.2.1"),)}, {"id": "../etc"}, {"id": "x; reboot"}])
def test_what_can_not_be_made_is_an_error(project: Project, changes: dict[str, object]) -> None:
    with pytest.raises(ValueError):
        planned(project, **changes)


def test_rules_of_a_router_without_gateway_translate_only_metadata(project: Project) -> None:
    text = ruleset.text(planned(project, gateway=None).rules)
    assert "redirect to :9697" in text
    assert "snat" not in text
    assert "dnat" not in text


def test_rules_of_a_router_that_is_down_drop_all(project: Project) -> None:
    text = ruleset.text(planned(project, admin_state_up=False).rules)
    assert text.count("policy drop") == 2
    assert "nat" not in text


def test_digest_changes_with_the_rules(project: Project) -> None:
    assert ruleset.digest(planned(project).rules) != ruleset.digest(planned(project, enable_snat=False).rules)
    assert ruleset.digest(planned(project).rules) == ruleset.digest(planned(project).rules)


def test_address_that_is_none_never_becomes_a_rule() -> None:
    rules = RouterRules(True, 9697, "qg-1", "203.0.113.1", True, (("203.0.113.5; flush ruleset", "10.0.0.1"),))
    with pytest.raises(ValueError):
        ruleset.text(rules)


def test_in_force_reads_what_was_written(project: Project) -> None:
    rules = planned(project).rules
    listing = ruleset.text(rules).partition("delete table")[2]
    assert ruleset.in_force(listing) == (ruleset.digest(rules), frozenset(rules.floating))
    assert ruleset.in_force("") == ("", frozenset())


def test_announcement_says_the_same_address_twice() -> None:
    for operation in (1, 2):
        packet = frame(operation, "fa:16:3e:00:00:01", bytes([10, 0, 0, 1]))
        assert len(packet) == 42
        assert packet[28:32] == packet[38:42] == bytes([10, 0, 0, 1])
        assert packet[6:12] == packet[22:28] == bytes.fromhex("fa163e000001")


def test_every_item_gets_its_turn() -> None:
    standing: Standing[str] = Standing()
    for id in "abc":
        standing.record(id, "wanted")
    looked_at = []
    for _ in range(6):
        standing.next_turn()
        due = [id for id in "abc" if not standing.holds(id, "wanted")]
        looked_at += due
        for id in due:
            standing.record(id, "wanted")
    assert looked_at == ["a", "b", "c", "a", "b", "c"]
    assert not standing.holds("a", "other")
