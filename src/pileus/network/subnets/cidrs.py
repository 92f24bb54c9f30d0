"""Pure checks and arithmetic of a subnet's addresses. Everything raises BadRequest with a message that names the value."""

from collections.abc import Iterable, Mapping, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from itertools import pairwise

from pileus.kernel.errors import Conflict
from pileus.network.errors import conflict, invalid

Address = IPv4Address | IPv6Address
Cidr = IPv4Network | IPv6Network


def cidr(text: str, ip_version: int | None = None) -> Cidr:
    """A subnet's CIDR. Host bits are cleared, as the API documents; a lone address is not a network."""
    try:
        if "/" not in text:
            raise ValueError(text)
        found = ip_network(text.strip(), strict=False)
    except ValueError:
        raise invalid(f"'{text}' is not a valid IP subnet (CIDR).") from None
    if ip_version is not None and found.version != ip_version:
        raise invalid(f"cidr '{text}' does not match the ip_version '{ip_version}'")
    if found.is_multicast:
        raise invalid(f"'{text}' is a multicast CIDR.")
    if found.prefixlen == 0:
        raise invalid("0 is not allowed as CIDR prefix length")
    if found.is_loopback:
        raise invalid(f"'{text}' is a loopback CIDR.")
    return found


def address(text: str, ip_version: int | None = None) -> Address:
    """One plain address: no zone, no newline, no leading zeros."""
    try:
        found = ip_address(text)
        if isinstance(found, IPv6Address) and found.scope_id:
            raise ValueError(text)
    except ValueError:
        raise invalid(f"'{text}' is not a valid IP address") from None
    if ip_version is not None and found.version != ip_version:
        raise invalid(f"'{text}' does not match the ip_version '{ip_version}'")
    return found


def host(text: str, of: Cidr) -> Address:
    """An address that an interface in the subnet can have."""
    found = address(text, of.version)
    edges = (of.network_address, of.broadcast_address) if isinstance(of, IPv4Network) and of.prefixlen < 31 else ()
    if found not in of or found in edges:
        raise invalid(f"'{text}' is not a valid address of {of}")
    return found


def gateway(text: str, of: Cidr) -> str:
    """A gateway: inside the subnet, or (IPv6) link-local."""
    found = address(text, of.version)
    if isinstance(found, IPv6Address) and found.is_link_local:
        return str(found)
    if found not in of:
        raise invalid(f"Gateway is not valid on subnet: {text} is outside {of}")
    return str(host(text, of))


def default_gateway(of: Cidr) -> str:
    """The first address, as everybody expects; of a /32 or /128 the only one."""
    return str(of.network_address + (1 if of.num_addresses > 2 else 0))


def pools(asked: Iterable[Mapping[str, str]], of: Cidr, gateway_ip: str | None) -> list[dict[str, str]]:
    """Allocation pools in order: each inside the subnet, none over another, none over the gateway."""
    ranges: list[tuple[int, int, Mapping[str, str]]] = []
    for pool in asked:
        if set(pool) != {"start", "end"}:
            raise invalid("an allocation pool has start and end.")
        start, end = address(pool["start"], of.version), address(pool["end"], of.version)
        if int(start) > int(end):
            raise invalid(f"The allocation pool {start}-{end} is not valid.", "InvalidAllocationPool")
        host_low, host_high = bounds(of)
        if int(start) < host_low or int(end) > host_high:
            message = f"The allocation pool {start}-{end} spans beyond the subnet cidr {of}."
            raise invalid(message, "OutOfBoundsAllocationPool")
        ranges.append((int(start), int(end), {"start": str(start), "end": str(end)}))
    ranges.sort(key=lambda item: item[0])
    for (_, last, one), (first, _, other) in pairwise(ranges):
        if first <= last:
            raise _clash(
                f"Found overlapping allocation pools: {one['start']}-{one['end']} and {other['start']}-{other['end']}."
            )
    check_gateway([item[2] for item in ranges], gateway_ip)
    return [dict(item[2]) for item in ranges]


def _clash(message: str) -> Conflict:
    return conflict(message, "OverlappingAllocationPools")


def check_gateway(given: Iterable[Mapping[str, str]], gateway_ip: str | None) -> None:
    for pool in given:
        if gateway_ip and int(address(pool["start"])) <= int(address(gateway_ip)) <= int(address(pool["end"])):
            message = f"Gateway ip {gateway_ip} conflicts with allocation pool {pool['start']}-{pool['end']}."
            raise conflict(message, "GatewayConflictWithAllocationPools")


def bounds(of: Cidr) -> tuple[int, int]:
    """First and last number that a host can have."""
    low, high = int(of.network_address), int(of.broadcast_address)
    if of.num_addresses <= 2:
        return low, high
    return low + 1, high - 1 if isinstance(of, IPv4Network) else high


def default_pools(of: Cidr, gateway_ip: str | None) -> list[dict[str, str]]:
    """All host addresses but the gateway's."""
    low, high = bounds(of)
    hole = int(ip_address(gateway_ip)) if gateway_ip else -1
    spans = [(low, high)] if not low <= hole <= high else [(low, hole - 1), (hole + 1, high)]
    size = 4 if of.version == 4 else 16
    return [
        {"start": str(ip_address(a.to_bytes(size, "big"))), "end": str(ip_address(b.to_bytes(size, "big")))}
        for a, b in spans
        if a <= b
    ]


def nameservers(given: Sequence[str], most: int) -> list[str]:
    if len(given) > most:
        raise invalid(f"the number of DNS nameservers exceeds the limit {most}.", "DNSNameServersExhausted")
    out = [str(address(text)) for text in given]
    if len(set(out)) != len(out):
        raise invalid(f"Duplicate nameserver in {', '.join(out)}")
    return out


def routes(given: Sequence[Mapping[str, str]], most: int, version: int | None = None) -> list[dict[str, str]]:
    """Destination and next hop of host routes and of a router's extra routes."""
    if len(given) > most:
        raise invalid(f"the number of routes exceeds the limit {most}.", "HostRoutesExhausted")
    out: list[dict[str, str]] = []
    for route in given:
        if set(route) != {"destination", "nexthop"}:
            raise invalid("a route has destination and nexthop.")
        target = prefix(route["destination"])
        made = {"destination": str(target), "nexthop": str(address(route["nexthop"], version or target.version))}
        if version is not None and target.version != version:
            raise invalid(f"'{target}' does not match the ip_version '{version}'")
        if made in out:
            raise invalid(f"Duplicate route to {target}")
        out.append(made)
    return out


def prefix(text: str) -> Cidr:
    """A destination or remote prefix: any CIDR without host bits, a lone address is its own."""
    try:
        return ip_network(text)
    except ValueError:
        raise invalid(f"'{text}' is not a valid IP subnet (CIDR) without host bits.") from None


def cidr_or_any(text: str) -> Cidr:
    """A remote prefix of a rule: host bits are cleared, 0.0.0.0/0 is anything, a lone address is its own."""
    try:
        return ip_network(text.strip(), strict=False)
    except ValueError:
        raise invalid(f"'{text}' is not a valid IP subnet (CIDR).", "InvalidCIDR") from None
