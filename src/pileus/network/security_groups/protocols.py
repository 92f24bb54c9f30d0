"""What a rule may say: protocols by name or number, their ports, remote prefixes. Pure; raises BadRequest."""

from typing import NamedTuple

from pileus.kernel.errors import BadRequest
from pileus.network.errors import invalid
from pileus.network.subnets import cidrs

# IANA's numbers of the names that the API documents
NUMBERS = {
    "icmp": 1, "igmp": 2, "ipip": 4, "tcp": 6, "egp": 8, "udp": 17, "dccp": 33, "ipv6-encap": 41, "ipv6-route": 43, "ipv6-frag": 44,
    "rsvp": 46, "gre": 47, "esp": 50, "ah": 51, "ipv6-icmp": 58, "ipv6-nonxt": 59, "ipv6-opts": 60, "ospf": 89, "pim": 103, "pgm": 113,
    "vrrp": 112, "sctp": 132, "udplite": 136,
}  # fmt: skip
ALIASES = {"icmpv6": "ipv6-icmp"}
PORTED = {6, 17, 33, 132, 136}
ICMP, ICMPV6 = 1, 58
HIGHEST_PORT = 65535


class Match(NamedTuple):
    """A checked rule, in the form in which it is kept."""

    direction: str
    ethertype: str
    protocol: str | None
    port_range_min: int | None
    port_range_max: int | None
    remote_ip_prefix: str | None


def match(
    direction: str,
    ethertype: str | None,
    protocol: str | int | None,
    low: int | None,
    high: int | None,
    remote: str | None,
) -> Match:
    if direction not in ("ingress", "egress"):
        raise invalid(f"'{direction}' is not in ['ingress', 'egress'].")
    found = {"ipv4": "IPv4", "ipv6": "IPv6"}.get((ethertype or "IPv4").lower())
    if found is None:
        raise invalid(f"'{ethertype}' is not in ['IPv4', 'IPv6'].", "SecurityGroupRuleInvalidEtherType")
    name = _protocol(protocol)
    _check_family(name, found)
    _check_ports(name, low, high)
    prefix = None
    if remote:
        net = cidrs.cidr_or_any(remote)
        if net.version != (4 if found == "IPv4" else 6):
            message = f"Conflicting value ethertype {found} for CIDR {remote}"
            raise BadRequest(message, kind="SecurityGroupRuleParameterConflict")
        prefix = str(net)
    return Match(direction, found, name, low, high, prefix)


def _protocol(given: str | int | None) -> str | None:
    """Names in lower case, numbers as text; `any` and 0 … are what they say."""
    if given is None or given == "":
        return None
    text = str(given).lower()
    if text in ("any", "-1"):
        return None
    if text in ALIASES or text in NUMBERS:
        return text
    if text.isascii() and text.isdecimal() and len(text) <= 3 and int(text) <= 255:
        return str(int(text))
    known = ", ".join(sorted(NUMBERS))
    message = f"Security group rule protocol {given} not supported. Only protocol values {known} and integers 0 to 255 are supported."
    raise BadRequest(message, kind="SecurityGroupRuleInvalidProtocol")


def number(protocol: str | None) -> int | None:
    if protocol is None:
        return None
    return int(protocol) if protocol.isdecimal() else NUMBERS[ALIASES.get(protocol, protocol)]


def _check_family(protocol: str | None, ethertype: str) -> None:
    """ICMP is of IPv4; with IPv6 `icmp` means ICMPv6, as upstream takes it."""
    if ethertype == "IPv4" and number(protocol) in (ICMPV6, 43, 44, 59, 60):
        message = f"Invalid ethertype {ethertype} for protocol {protocol}."
        raise BadRequest(message, kind="SecurityGroupEthertypeConflictWithProtocol")


def _check_ports(protocol: str | None, low: int | None, high: int | None) -> None:
    if low is None and high is None:
        return
    kind = number(protocol)
    if kind is None:
        raise BadRequest(
            "Must also specify protocol if port range is given.", kind="SecurityGroupProtocolRequiredWithPorts"
        )
    if kind in (ICMP, ICMPV6):
        for field, value in (("type (port-range-min)", low), ("code (port-range-max)", high)):
            if value is not None and not 0 <= value <= 255:
                raise BadRequest(
                    f"Invalid value for ICMP {field}: {value}. It must be 0 to 255.",
                    kind="SecurityGroupInvalidIcmpValue",
                )
        if low is None:
            raise BadRequest(
                f"ICMP code (port-range-max) {high} is provided but ICMP type (port-range-min) is missing.",
                kind="SecurityGroupMissingIcmpType",
            )
        return
    if kind not in PORTED:
        raise BadRequest(
            f"Port range cannot be specified for protocol {protocol}.", kind="SecurityGroupInvalidProtocolForPort"
        )
    for value in (low, high):
        if value is not None and not 1 <= value <= HIGHEST_PORT:
            raise BadRequest(
                f"Invalid value for port {value}: ports are 1 to {HIGHEST_PORT}.", kind="SecurityGroupInvalidPortValue"
            )
    if low is None or high is None or low > high:
        message = "For TCP/UDP protocols, port_range_min must be <= port_range_max"
        raise BadRequest(message, kind="SecurityGroupInvalidPortRange")
