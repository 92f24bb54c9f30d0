"""Which MAC and IP addresses a guarded port may send from: its fixed addresses, its address pairs, its link-local address."""

import ipaddress
import re
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

from pileus.network.agent.firewall.match import Address, IpNetwork
from pileus.network.agent.snapshot import Port

_MAC = re.compile(r"[0-9a-f]{2}(:[0-9a-f]{2}){5}")
_CACHED = 4096  # ports of a host whose addresses are not worked out again at each change


class BadSource(ValueError):
    """An address of a port that is none."""


class Source(NamedTuple):
    mac: str
    network: IpNetwork


def checked_mac(value: str) -> str:
    """A unicast MAC address in lower case with colons. Raises BadSource."""
    mac = value.lower()
    if not _MAC.fullmatch(mac) or int(mac[:2], 16) & 1:
        raise BadSource(f"not a unicast MAC address: {value!r}")
    return mac


def link_local(mac: str) -> ipaddress.IPv6Network:
    """The EUI-64 link-local address of a MAC address (RFC 4291, appendix A)."""
    octets = bytearray.fromhex(mac.replace(":", ""))
    octets[0] ^= 2
    packed = b"\xfe\x80" + bytes(6) + octets[:3] + b"\xff\xfe" + octets[3:]
    return ipaddress.IPv6Network((packed, 128))


@lru_cache(_CACHED)
def sources_of(port: Port) -> frozenset[Source]:
    """Disjoint sources of a port, IPv4 and IPv6. Raises BadSource."""
    mac = checked_mac(port.mac)
    by_mac: dict[str, list[IpNetwork]] = {mac: [link_local(mac)]}
    pairs = [(mac, fixed.ip_address) for fixed in port.fixed_ips]
    pairs += [(pair.mac or mac, pair.cidr) for pair in port.address_pairs]
    for owner, cidr in pairs:
        try:
            network = ipaddress.ip_network(cidr, strict=False)
        except ValueError as error:
            raise BadSource(str(error)) from None
        pair_mac = checked_mac(owner)
        by_mac.setdefault(pair_mac, [link_local(pair_mac)]).append(network)
    return frozenset(Source(owner, network) for owner, networks in by_mac.items() for network in collapse(networks))


def collapse(networks: Iterable[IpNetwork]) -> list[IpNetwork]:
    """The same addresses as networks of which none holds another: what an interval set of nft accepts."""
    singles = {network for network in networks if network.prefixlen == network.max_prefixlen}
    wide = [network for network in networks if network not in singles]
    if not wide:
        return list(singles)
    v4 = ipaddress.collapse_addresses(network for network in wide if isinstance(network, ipaddress.IPv4Network))
    v6 = ipaddress.collapse_addresses(network for network in wide if isinstance(network, ipaddress.IPv6Network))
    disjoint: list[IpNetwork] = [*v4, *v6]
    return disjoint + [one for one in singles if not any(one.network_address in network for network in disjoint)]


@lru_cache(_CACHED)
def followed(sources: frozenset[Source]) -> tuple[Address, ...]:
    """The single addresses of a port. Address pairs of more than 256 addresses are left out: they may be anybody's."""
    return tuple(address for source in sources if source.network.num_addresses <= 256 for address in source.network)
