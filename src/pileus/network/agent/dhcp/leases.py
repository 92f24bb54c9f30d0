"""The lease file of dnsmasq, and how a lease that must not be any more is given back.

dnsmasq refuses a static address that another MAC still leases, so an address that changes hands must be released first.
Source: dnsmasq(8) for the file; RFC 2131 section 4.4.6 (DHCPRELEASE), RFC 2132 for the options.
"""

import ipaddress
import secrets
import socket
import struct
from pathlib import Path

import msgspec

from pileus.network.agent.namespaces import entered

_RELEASE = 7
_MAGIC = bytes.fromhex("63825363")


class Lease(msgspec.Struct, frozen=True):
    mac: str
    ip_address: str
    client_id: bytes | None


def read(path: Path) -> list[Lease]:
    """IPv4 leases: lines of expiry, MAC, address, name and client id. Nothing when the file is not there."""
    found = []
    for words in map(str.split, _lines(path)):
        if words[:1] == ["duid"]:
            break  # IPv6 leases follow
        if len(words) == 5 and words[1].count(":") == 5:
            client_id = None if words[4] == "*" else bytes.fromhex(words[4].replace(":", ""))
            found.append(Lease(words[1], words[2], client_id))
    return found


def stale(leases: list[Lease], wanted: frozenset[tuple[str, str]]) -> list[Lease]:
    """Leases that no host of the network explains."""
    return [lease for lease in leases if (lease.mac, lease.ip_address) not in wanted]


def stale_ipv6(path: Path, wanted: frozenset[tuple[str, str]]) -> set[str]:
    """IPv6 addresses leased to nobody's host, or to a DUID that holds another MAC (types 1 and 3 of RFC 8415 do hold one)."""
    owners: dict[str, set[str]] = {}
    for mac, address in wanted:
        owners.setdefault(address, set()).add(mac)
    found = set()
    for words in map(str.split, _lines(path)):
        if len(words) == 5 and ":" in words[2]:
            duid = words[4].split(":")
            told = duid[:2] in (["00", "01"], ["00", "03"])
            if words[2] not in owners or (told and ":".join(duid[-6:]) not in owners[words[2]]):
                found.add(words[2])
    return found


def forget(path: Path, addresses: set[str]) -> None:
    """Take the leases out of the file; dnsmasq must not run meanwhile."""
    kept = [line for line in _lines(path) if not addresses.intersection(line.split()[2:3])]
    path.write_text("".join(f"{line}\n" for line in kept))


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(errors="replace").splitlines()
    except FileNotFoundError:
        return []


def release(namespace: str, device: str, server: str, leases: list[Lease]) -> None:
    """Tell the dnsmasq that serves `server` (its own IPv4 address) on the device that the leases are given back."""
    with entered(namespace):
        channel = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
    with channel:
        # Else it comes in by the loopback, where dnsmasq does not listen.
        channel.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, device.encode())
        for lease in leases:
            channel.sendto(release_packet(lease, server), (server, 67))


def release_packet(lease: Lease, server: str) -> bytes:
    mac = bytes.fromhex(lease.mac.replace(":", ""))
    address = ipaddress.IPv4Address(lease.ip_address).packed
    packet = struct.pack(">BBBBIHH4s12x16s192x", 1, 1, len(mac), 0, secrets.randbits(32), 0, 0, address, mac)
    options = bytes([53, 1, _RELEASE, 54, 4]) + ipaddress.IPv4Address(server).packed
    if lease.client_id:
        options += bytes([61, len(lease.client_id)]) + lease.client_id
    return packet + _MAGIC + options + b"\xff"
