"""The nftables rules of one router as text for `nft -f`: pure, and one transaction, so that no packet sees half of them.

Source: nft(8). The digest of the text is the table's comment, so what is in force can be told from what is wanted.
"""

import hashlib
import re
from ipaddress import IPv4Address

import msgspec

TABLE = "pileus"
METADATA = "169.254.169.254"
# Carried by packets that came in by the gateway: a floating IP shows them to the server as they are.
_FROM_OUTSIDE = "0x1"
_FLOATING = "floating"


class RouterRules(msgspec.Struct, frozen=True):
    """Addresses are IPv4 text. `floating` are (floating, fixed) pairs; `gateway_device` None means no gateway."""

    forwarding: bool
    metadata_port: int
    gateway_device: str | None = None
    gateway_address: str | None = None
    enable_snat: bool = False
    floating: tuple[tuple[str, str], ...] = ()


def digest(rules: RouterRules) -> str:
    return hashlib.sha256(_table(rules).encode()).hexdigest()[:32]


def text(rules: RouterRules) -> str:
    """Replaces the router's whole table. Declared first, so that deleting it works when it is not there."""
    body = f'\tcomment "{digest(rules)}"\n{_table(rules)}'
    return f"table ip {TABLE}\ndelete table ip {TABLE}\ntable ip {TABLE} {{\n{body}}}\n"


def in_force(listing: str) -> tuple[str, frozenset[tuple[str, str]]]:
    """(digest, floating pairs) out of what `nft list ruleset ip` prints; an empty digest when there is no table."""
    comment = re.search(rf'table ip {TABLE} {{\s+comment "(\w+)"', listing)
    floating = re.search(rf"map {_FLOATING} {{.*?elements = {{(.*?)}}", listing, re.DOTALL)
    pairs = re.findall(r"([\d.]+) : ([\d.]+)", floating[1]) if floating else []
    return comment[1] if comment else "", frozenset((pair[0], pair[1]) for pair in pairs)


def _table(rules: RouterRules) -> str:
    if not rules.forwarding:
        drop = [
            _chain(hook, f"type filter hook {hook} priority filter; policy drop;", []) for hook in ("input", "forward")
        ]
        return "".join(drop)
    to_metadata = f"ip daddr {METADATA}"
    prerouting = [f'iifname "qr-*" {to_metadata} tcp dport 80 redirect to :{rules.metadata_port:d}']
    postrouting: list[str] = []
    maps = ""
    if rules.gateway_device:
        prerouting.append(f'iifname "{rules.gateway_device}" meta mark set {_FROM_OUTSIDE}')
    if rules.floating:
        pairs = [(str(IPv4Address(floating)), str(IPv4Address(fixed))) for floating, fixed in rules.floating]
        maps = _map(_FLOATING, pairs) + _map("fixed", [(fixed, floating) for floating, fixed in pairs])
        prerouting.append(f"dnat to ip daddr map @{_FLOATING}")
        # Out by the gateway, or back in to another floating IP: the source is the server's own floating IP.
        for way in (f'oifname "{rules.gateway_device}"', f"ct status dnat meta mark != {_FROM_OUTSIDE}"):
            postrouting.append(f"{way} snat to ip saddr map @fixed")
    if rules.gateway_address:
        source = str(IPv4Address(rules.gateway_address))
        if rules.floating:
            # A server without one that calls a floating IP: the answer must come back through the router.
            postrouting.append(f"ct status dnat meta mark != {_FROM_OUTSIDE} snat to {source}")
        if rules.enable_snat:
            postrouting.append(f'oifname "{rules.gateway_device}" snat to {source}')
    # The proxy is reached by its well-known address only, and that address leads nowhere else.
    guard = [f"tcp dport {rules.metadata_port:d} ct original ip daddr != {METADATA} drop"]
    return (
        maps
        + _chain("prerouting", "type nat hook prerouting priority dstnat; policy accept;", prerouting)
        + _chain("postrouting", "type nat hook postrouting priority srcnat; policy accept;", postrouting)
        + _chain("input", "type filter hook input priority filter; policy accept;", guard)
        + _chain("forward", "type filter hook forward priority filter; policy accept;", [f"{to_metadata} drop"])
    )


def _chain(name: str, head: str, rules: list[str]) -> str:
    return f"\tchain {name} {{\n\t\t{head}\n" + "".join(f"\t\t{rule}\n" for rule in rules) + "\t}\n"


def _map(name: str, pairs: list[tuple[str, str]]) -> str:
    elements = ", ".join(f"{key} : {value}" for key, value in pairs)
    return f"\tmap {name} {{\n\t\ttype ipv4_addr : ipv4_addr\n\t\telements = {{ {elements} }}\n\t}}\n"
