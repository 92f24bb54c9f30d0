"""Gratuitous ARP: tells the neighbours at once where an address lives now. Source: RFC 5227 section 3."""

import ipaddress
import socket
import struct
from collections.abc import Iterable

from pileus.network.agent.namespaces import entered

_ARP = 0x0806
_REQUEST, _REPLY = 1, 2
_BROADCAST = b"\xff" * 6


def announce(namespace: str, device: str, mac: str, addresses: Iterable[str]) -> None:
    """One ARP request and one reply for each IPv4 address (CIDR text): some systems heed only the one, some the other."""
    with entered(namespace):
        channel = socket.socket(socket.AF_PACKET, socket.SOCK_RAW | socket.SOCK_CLOEXEC, 0)
    with channel:
        channel.bind((device, _ARP))
        for address in map(ipaddress.ip_interface, addresses):
            if address.version == 4:
                for operation in (_REQUEST, _REPLY):
                    channel.send(frame(operation, mac, address.ip.packed))


def frame(operation: int, mac: str, address: bytes) -> bytes:
    """An Ethernet frame that says `mac` has `address`, to everybody."""
    source = bytes.fromhex(mac.replace(":", ""))
    target = source if operation == _REPLY else bytes(6)
    header = _BROADCAST + source + struct.pack(">H", _ARP)
    return header + struct.pack(">HHBBH", 1, 0x0800, 6, 4, operation) + source + address + target + address
