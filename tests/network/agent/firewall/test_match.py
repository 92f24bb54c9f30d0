"""Rules of a security group: what becomes of each, as nft text and asked of a flow."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pileus.network.agent.firewall.match import BadRule, Flow, match_of
from pileus.network.agent.names import BadId
from pileus.network.agent.snapshot import Rule

GROUP = "11111111-2222-3333-4444-555555555555"


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        (Rule("ingress", "IPv4"), "meta nfproto ipv4"),
        (Rule("egress", "IPv6", "any"), "meta nfproto ipv6"),
        (Rule("ingress", "IPv4", "tcp", 22, 22), "meta nfproto ipv4 tcp dport 22"),
        (Rule("ingress", "IPv4", "17", 1, 65535), "meta nfproto ipv4 udp dport 1-65535"),
        (Rule("ingress", "IPv4", "udp", None, 53), "meta nfproto ipv4 udp dport 0-53"),
        (Rule("egress", "IPv4", "tcp", 80, 81, "10.1.2.3/8"), "meta nfproto ipv4 ip daddr 10.0.0.0/8 tcp dport 80-81"),
        (Rule("ingress", "IPv6", "SCTP", 5, 6, "fd00::/8"), "meta nfproto ipv6 ip6 saddr fd00::/8 sctp dport 5-6"),
        (Rule("ingress", "IPv4", None, None, None, "0.0.0.0/0"), "meta nfproto ipv4"),
        (Rule("ingress", "IPv4", "icmp"), "meta nfproto ipv4 meta l4proto 1"),
        (Rule("ingress", "IPv4", "icmp", 8), "meta nfproto ipv4 icmp type 8"),
        (Rule("ingress", "IPv4", "icmp", 3, 4), "meta nfproto ipv4 icmp type 3 icmp code 4"),
        (Rule("ingress", "IPv6", "icmp", 128, 0), "meta nfproto ipv6 icmpv6 type 128 icmpv6 code 0"),
        (Rule("ingress", "IPv6", "1"), "meta nfproto ipv6 meta l4proto 58"),
        (Rule("ingress", "IPv6", "ipv6-icmp"), "meta nfproto ipv6 meta l4proto 58"),
        (Rule("ingress", "IPv4", "vrrp"), "meta nfproto ipv4 meta l4proto 112"),
        (Rule("ingress", "IPv4", "ah"), "meta nfproto ipv4 meta l4proto 51"),
        (Rule("ingress", "IPv4", "ospf"), "meta nfproto ipv4 meta l4proto 89"),
        (Rule("ingress", "IPv4", "255"), "meta nfproto ipv4 meta l4proto 255"),
        (Rule("ingress", "IPv4", "0"), "meta nfproto ipv4"),
        (
            Rule("ingress", "IPv4", "tcp", 1, 2, remote_group=GROUP),
            f"meta nfproto ipv4 ip saddr @members4-{GROUP} tcp dport 1-2",
        ),
        (Rule("egress", "IPv6", remote_group=GROUP), f"meta nfproto ipv6 ip6 daddr @members6-{GROUP}"),
    ],
)
def test_text(rule: Rule, text: str) -> None:
    assert match_of(rule).text() == text


@pytest.mark.parametrize(
    "rule",
    [
        Rule("sideways", "IPv4"),
        Rule("ingress", "IPX"),
        Rule("ingress", "IPv4", "tcp; drop"),
        Rule("ingress", "IPv4", "256"),
        Rule("ingress", "IPv4", "-1"),
        Rule("ingress", "IPv4", "²"),
        Rule("ingress", "IPv4", "gre", 1, 2),
        Rule("ingress", "IPv4", None, 1, 2),
        Rule("ingress", "IPv4", "tcp", 9, 8),
        Rule("ingress", "IPv4", "tcp", 0, 65536),
        Rule("ingress", "IPv4", "icmp", 256),
        Rule("ingress", "IPv4", "icmp", None, 3),
        Rule("ingress", "IPv4", None, None, None, "10.0.0.0/33"),
        Rule("ingress", "IPv4", None, None, None, "fd00::/8"),
        Rule("ingress", "IPv4", None, None, None, "10.0.0.0/8 accept"),
    ],
)
def test_bad_rules_are_refused(rule: Rule) -> None:
    with pytest.raises(BadRule):
        match_of(rule)


def test_a_group_that_is_no_id_is_refused() -> None:
    with pytest.raises(BadId):
        match_of(Rule("ingress", "IPv4", remote_group=f"{GROUP} drop"))


@given(st.text(max_size=30), st.text(max_size=30), st.text(max_size=30))
def test_no_text_of_a_user_reaches_the_rules(protocol: str, cidr: str, group: str) -> None:
    try:
        text = match_of(Rule("ingress", "IPv4", protocol, None, None, cidr, group)).text()
    except (BadRule, BadId):
        return
    assert not set(text) & set('\n\r\0;{}"#$\\')


def _flow(protocol: int, source: str, destination: str, first: int = 0, second: int = 0) -> Flow:
    return Flow(protocol, ipaddress.ip_address(source), ipaddress.ip_address(destination), first, second)


@pytest.mark.parametrize(
    ("rule", "flow", "allowed"),
    [
        (Rule("ingress", "IPv4"), _flow(6, "10.0.0.1", "10.0.0.2"), True),
        (Rule("ingress", "IPv4"), _flow(6, "fd00::1", "fd00::2"), False),
        (Rule("ingress", "IPv4", "tcp", 22, 23), _flow(6, "10.0.0.1", "10.0.0.2", 9, 23), True),
        (Rule("ingress", "IPv4", "tcp", 22, 23), _flow(6, "10.0.0.1", "10.0.0.2", 22, 24), False),
        (Rule("ingress", "IPv4", "tcp", 22, 23), _flow(17, "10.0.0.1", "10.0.0.2", 9, 22), False),
        (Rule("ingress", "IPv4", "icmp", 8), _flow(1, "10.0.0.1", "10.0.0.2", 8, 0), True),
        (Rule("ingress", "IPv4", "icmp", 8, 1), _flow(1, "10.0.0.1", "10.0.0.2", 8, 0), False),
        (Rule("ingress", "IPv4", "icmp", 8), _flow(1, "10.0.0.1", "10.0.0.2", 13, 0), False),
        (Rule("ingress", "IPv4", None, None, None, "10.0.0.1/32"), _flow(6, "10.0.0.1", "10.0.0.2"), True),
        (Rule("egress", "IPv4", None, None, None, "10.0.0.1/32"), _flow(6, "10.0.0.1", "10.0.0.2"), False),
        (Rule("egress", "IPv4", None, None, None, "10.0.0.2/32"), _flow(6, "10.0.0.1", "10.0.0.2"), True),
        (Rule("ingress", "IPv4", remote_group=GROUP), _flow(6, "10.9.9.9", "10.0.0.2"), True),
        (Rule("ingress", "IPv4", remote_group=GROUP), _flow(6, "10.9.9.8", "10.0.0.2"), False),
    ],
)
def test_flow(rule: Rule, flow: Flow, allowed: bool) -> None:
    members = {GROUP: {ipaddress.ip_address("10.9.9.9")}}
    assert match_of(rule).allows(flow, lambda group, address: address in members[group]) is allowed
