"""From snapshots to rules, and from rules to the commands between them."""

import ipaddress

import msgspec

from pileus.network.agent.firewall.numbering import Numbering
from pileus.network.agent.firewall.policy import policy_of, ruleset_of
from pileus.network.agent.firewall.ruleset import Ruleset, difference
from pileus.network.agent.firewall.sources import collapse, link_local, sources_of
from pileus.network.agent.snapshot import AddressPair, FixedIp, Network, Port, Rule, SecurityGroup, Snapshot

NETWORK = "aaaaaaaa-0000-4000-8000-000000000000"
PORTS = [f"bbbbbbb{number}-0000-4000-8000-000000000000" for number in range(3)]
GROUP, OTHER = "cccccccc-0000-4000-8000-000000000000", "dddddddd-0000-4000-8000-000000000000"


def _snapshot(count: int, *rules: Rule, members: tuple[str, ...] = ()) -> Snapshot:
    ports = tuple(
        Port(
            PORTS[number],
            NETWORK,
            f"fa:16:3e:00:00:0{number}",
            (FixedIp("s", f"10.0.0.{number + 1}"),),
            True,
            True,
            "compute:nova",
            (GROUP,),
        )
        for number in range(count)
    )
    groups = (SecurityGroup(GROUP, True, rules, members), SecurityGroup(OTHER, True, ()))
    return Snapshot("h", 1, (Network(NETWORK, "local", None, None, 1400, ()),), ports, groups)


def _rules(snapshot: Snapshot) -> Ruleset:
    marks = {port_id: number + 1 for number, port_id in enumerate(PORTS)}
    return ruleset_of(policy_of(snapshot), marks.__getitem__, lambda _: 10000)


def test_the_same_needs_no_commands() -> None:
    assert difference(_rules(_snapshot(2)), _rules(_snapshot(2))) == ""


def test_a_new_member_is_one_element() -> None:
    rule = Rule("ingress", "IPv4", remote_group=GROUP)
    before, after = (
        _rules(_snapshot(1, rule, members=members)) for members in (("10.0.0.1",), ("10.0.0.1", "10.0.0.9"))
    )
    assert difference(before, after) == f"add element inet pileus members4-{GROUP} {{ 10.0.0.9 }}"


def test_a_changed_group_is_one_chain() -> None:
    before, after = _rules(_snapshot(3)), _rules(_snapshot(3, Rule("ingress", "IPv4", "tcp", 22, 22)))
    assert difference(before, after) == (f"add rule inet pileus in-{GROUP} meta nfproto ipv4 tcp dport 22 accept")
    assert difference(after, before) == f"flush chain inet pileus in-{GROUP}"


def test_a_gone_port_takes_only_its_elements() -> None:
    commands = difference(_rules(_snapshot(2)), _rules(_snapshot(1))).splitlines()
    assert commands
    assert all(line.startswith("delete element") for line in commands)
    assert all("tapbbbbbbb1-00" in line or "0x50000002" in line or "0x60000002" in line for line in commands)


def test_the_last_port_takes_the_chains_with_it() -> None:
    rule = Rule("ingress", "IPv4", remote_group=OTHER)
    commands = difference(_rules(_snapshot(1, rule)), _rules(_snapshot(0, rule))).splitlines()
    chains, sets = ([line for line in commands if line.startswith(f"delete {kind}")] for kind in ("chain", "set"))
    assert chains == [f"delete chain inet pileus {side}-{GROUP}" for side in ("in", "out")]
    assert sets == [f"delete set inet pileus members{version}-{OTHER}" for version in (4, 6)]
    assert commands.index(chains[0]) < commands.index(sets[0])


def test_a_port_without_known_groups_has_no_way_in_or_out() -> None:
    port = msgspec.structs.replace(_snapshot(1).ports[0], security_groups=("eeeeeeee-0000-4000-8000-000000000000",))
    rules = _rules(Snapshot("h", 1, ports=(port,)))
    assert ("inet pileus", "ingress") not in rules.elements
    assert ("inet pileus", "egress") not in rules.elements
    assert rules.elements["bridge pileus", "guarded"] == {'"tapbbbbbbb0-00"': None}


def test_sources_are_disjoint() -> None:
    port = msgspec.structs.replace(
        _snapshot(1).ports[0],
        address_pairs=(
            AddressPair("", "10.0.0.0/24"),
            AddressPair("FA:16:3E:00:00:00", "10.0.0.128/25"),
            AddressPair("fa:16:3e:00:00:09", "10.0.0.1"),
        ),
    )
    found = {(source.mac[-2:], str(source.network)) for source in sources_of(port)}
    assert found == {
        ("00", "10.0.0.0/24"),
        ("00", "fe80::f816:3eff:fe00:0/128"),
        ("09", "10.0.0.1/32"),
        ("09", "fe80::f816:3eff:fe00:9/128"),
    }


def test_link_local_address() -> None:
    """The example of RFC 2464, section 4."""
    assert link_local("34:56:78:9a:bc:de") == ipaddress.IPv6Network("fe80::3656:78ff:fe9a:bcde/128")


def test_neighbours_stay_single_addresses() -> None:
    """So that a new member does not move the bounds of an element that is in force."""
    networks = [ipaddress.ip_network(f"10.0.0.{number}/32") for number in (2, 3, 3)]
    assert sorted(map(str, collapse(networks))) == ["10.0.0.2/32", "10.0.0.3/32"]


def test_numbers_are_kept_and_come_back_late() -> None:
    numbering = Numbering(range(1, 5), 0, {"old": 2})
    assert [numbering(name) for name in ("a", "b", "a", "old")] == [1, 3, 1, 2]
    numbering.release({"b", "old"})
    assert numbering("c") == 4
    assert numbering("d") == 1
    assert numbering.used() == {1, 2, 3, 4}
