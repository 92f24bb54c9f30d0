"""A security group rule, checked and resolved: what it matches, as text for nft and as a test on a flow.

Anything that is not a number, a network or a known name is refused here, so that nothing else can reach the rule text.
Protocol numbers: IANA, "Assigned Internet Protocol Numbers"; names: Networking API v2.0, security group rules.
"""

import ipaddress
from collections.abc import Callable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import NamedTuple

from pileus.network.agent.names import checked_id
from pileus.network.agent.snapshot import Rule

Address = IPv4Address | IPv6Address
IpNetwork = IPv4Network | IPv6Network

PROTOCOLS = {
    "icmp": 1,
    "igmp": 2,
    "ipip": 4,
    "tcp": 6,
    "egp": 8,
    "udp": 17,
    "dccp": 33,
    "ipv6-encap": 41,
    "ipv6-route": 43,
    "ipv6-frag": 44,
    "rsvp": 46,
    "gre": 47,
    "esp": 50,
    "ah": 51,
    "icmpv6": 58,
    "ipv6-icmp": 58,
    "ipv6-nonxt": 59,
    "ipv6-opts": 60,
    "ospf": 89,
    "pgm": 113,
    "vrrp": 112,
    "sctp": 132,
    "udplite": 136,
}
ICMP, TCP, UDP, ICMPV6 = 1, 6, 17, 58
_WITH_PORTS = {6: "tcp", 17: "udp", 33: "dccp", 132: "sctp", 136: "udplite"}


class BadRule(ValueError):
    """A rule that can not be put into force; the message says which value and why."""


class Flow(NamedTuple):
    """The first packet of a connection. For ICMP `first` and `second` are type and code, else source and destination port."""

    protocol: int
    source: Address
    destination: Address
    first: int
    second: int


class Match(NamedTuple):
    """`ports` are inclusive; for ICMP they are (type, type) in `ports` and the code in `code`."""

    inbound: bool
    version: int
    protocol: int | None
    ports: tuple[int, int] | None
    code: int | None
    remote: IpNetwork | None
    group: str | None

    def text(self) -> str:
        """The nft statement without its verdict."""
        family, side = ("ip" if self.version == 4 else "ip6"), ("saddr" if self.inbound else "daddr")
        parts = [f"meta nfproto ipv{self.version}"]
        if self.group is not None:
            parts.append(f"{family} {side} @{members_set(self.group, self.version)}")
        elif self.remote is not None and self.remote.prefixlen:
            parts.append(f"{family} {side} {self.remote}")
        parts += self._protocol_text()
        return " ".join(parts)

    def _protocol_text(self) -> list[str]:
        if self.protocol is None:
            return []
        if self.ports is None:
            return [f"meta l4proto {self.protocol}"]
        low, high = self.ports
        if self.protocol in _WITH_PORTS:
            return [f"{_WITH_PORTS[self.protocol]} dport {low}" + (f"-{high}" if high != low else "")]
        name = "icmp" if self.protocol == ICMP else "icmpv6"
        return [f"{name} type {low}", *([] if self.code is None else [f"{name} code {self.code}"])]

    def allows(self, flow: Flow, is_member: Callable[[str, Address], bool]) -> bool:
        """The same question asked of a flow that is already there."""
        remote = flow.source if self.inbound else flow.destination
        if remote.version != self.version or self.protocol not in {None, flow.protocol}:
            return False
        if self.group is not None and not is_member(self.group, remote):
            return False
        if self.remote is not None and remote not in self.remote:
            return False
        if self.ports is None:
            return True
        if self.protocol in {ICMP, ICMPV6}:
            return flow.first == self.ports[0] and self.code in {None, flow.second}
        return self.ports[0] <= flow.second <= self.ports[1]


def members_set(group_id: str, version: int) -> str:
    return f"members{version}-{group_id}"


def match_of(rule: Rule) -> Match:
    """Check a rule of the snapshot. Raises BadRule, BadId."""
    if rule.direction not in {"ingress", "egress"}:
        raise BadRule(f"unknown direction {rule.direction!r}")
    if rule.ethertype not in {"IPv4", "IPv6"}:
        raise BadRule(f"unknown ethertype {rule.ethertype!r}")
    version = 4 if rule.ethertype == "IPv4" else 6
    protocol = _protocol(rule.protocol, version)
    ports, code = _ports(rule, protocol)
    return Match(
        rule.direction == "ingress",
        version,
        protocol,
        ports,
        code,
        _remote(rule.remote_cidr, version),
        checked_id(rule.remote_group) if rule.remote_group is not None else None,
    )


def _protocol(value: str | None, version: int) -> int | None:
    if value is None or value.lower() == "any":
        return None
    number = PROTOCOLS.get(value.lower())
    if number is None:
        if not (value.isascii() and value.isdigit() and int(value) <= 255):
            raise BadRule(f"unknown protocol {value!r}")
        number = int(value)
    if number == 0 and value == "0":
        return 0 if version == 6 else None  # hop-by-hop options in IPv6; "any" in IPv4
    return ICMPV6 if number == ICMP and version == 6 else number


def _ports(rule: Rule, protocol: int | None) -> tuple[tuple[int, int] | None, int | None]:
    low, high = rule.port_min, rule.port_max
    if low is None and high is None:
        return None, None
    if protocol in {ICMP, ICMPV6}:
        if low is None or not 0 <= low <= 255 or not 0 <= (high or 0) <= 255:
            raise BadRule(f"bad ICMP type and code {low}, {high}")
        return (low, low), high
    if protocol not in _WITH_PORTS:
        raise BadRule(f"protocol {rule.protocol} has no ports")
    low, high = (0 if low is None else low), (65535 if high is None else high)
    if not 0 <= low <= high <= 65535:
        raise BadRule(f"bad port range {low}-{high}")
    return (low, high), None


def _remote(cidr: str | None, version: int) -> IpNetwork | None:
    if cidr is None:
        return None
    try:
        network = ipaddress.ip_network(cidr, strict=False)
    except ValueError as error:
        raise BadRule(str(error)) from None
    if network.version != version:
        raise BadRule(f"{cidr} is not IPv{version}")
    return network
