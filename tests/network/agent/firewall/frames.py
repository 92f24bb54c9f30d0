"""Ethernet frames by hand, the honest and the forged."""

import ipaddress
import struct

BROADCAST = "ff:ff:ff:ff:ff:ff"
ALL_NODES = "33:33:00:00:00:01"

Ends = tuple[str, str]
"""Source and destination MAC address."""


def mac(value: str) -> bytes:
    return bytes.fromhex(value.replace(":", ""))


def ip(value: str) -> bytes:
    return ipaddress.ip_address(value).packed


def checksum(data: bytes) -> int:
    total: int = sum(struct.unpack(f">{len(data) // 2 + len(data) % 2}H", data + b"\0" * (len(data) % 2)))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def ethernet(source: str, destination: str, kind: int, body: bytes) -> bytes:
    return (mac(destination) + mac(source) + struct.pack(">H", kind) + body).ljust(60, b"\0")


def arp(
    source: str, sender_mac: str, sender_ip: str, target_ip: str, *, operation: int = 1, to: str = BROADCAST
) -> bytes:
    body = struct.pack(">HHBBH", 1, 0x0800, 6, 4, operation) + mac(sender_mac) + ip(sender_ip)
    return ethernet(source, to, 0x0806, body + bytes(6) + ip(target_ip))


def ipv4(source: str, destination: str, protocol: int, body: bytes, fragment: int = 0) -> bytes:
    head = (
        struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(body), 7, fragment, 64, protocol, 0) + ip(source) + ip(destination)
    )
    return head[:10] + struct.pack(">H", checksum(head)) + head[12:] + body


def ipv6(source: str, destination: str, protocol: int, body: bytes) -> bytes:
    return struct.pack(">IHBB", 6 << 28, len(body), protocol, 255) + ip(source) + ip(destination) + body


def udp(source: str, destination: str, source_port: int, port: int, data: bytes) -> bytes:
    head = struct.pack(">HHH", source_port, port, 8 + len(data))
    pseudo = ip(source) + ip(destination) + struct.pack(">HH", 17, 8 + len(data))
    return head + struct.pack(">H", checksum(pseudo + head + b"\0\0" + data) or 0xFFFF) + data


def icmpv6(source: str, destination: str, kind: int, body: bytes) -> bytes:
    message = struct.pack(">BBH", kind, 0, 0) + body
    pseudo = ip(source) + ip(destination) + struct.pack(">IBBBB", len(message), 0, 0, 0, 58)
    return message[:2] + struct.pack(">H", checksum(pseudo + message)) + message[4:]


def udp4(macs: Ends, source: str, destination: str, ports: tuple[int, int], data: bytes) -> bytes:
    return ethernet(*macs, 0x0800, ipv4(source, destination, 17, udp(source, destination, *ports, data)))


def udp6(macs: Ends, source: str, destination: str, ports: tuple[int, int], data: bytes) -> bytes:
    return ethernet(*macs, 0x86DD, ipv6(source, destination, 17, udp(source, destination, *ports, data)))


def neighbour_advertisement(source_mac: str, source: str, target: str) -> bytes:
    body = b"\x20\0\0\0" + ip(target) + b"\x02\x01" + mac(source_mac)
    return ethernet(source_mac, ALL_NODES, 0x86DD, ipv6(source, "ff02::1", 58, icmpv6(source, "ff02::1", 136, body)))


def router_advertisement(source_mac: str, source: str, marker: bytes) -> bytes:
    body = struct.pack(">BBHII", 64, 0, 1800, 0, 0) + b"\x01\x01" + marker[:6].ljust(6, b"\0")
    return ethernet(source_mac, ALL_NODES, 0x86DD, ipv6(source, "ff02::1", 58, icmpv6(source, "ff02::1", 134, body)))


def hidden_router_advertisement(source_mac: str, source: str, marker: bytes) -> list[bytes]:
    """The same, with its ICMPv6 header pushed into a second fragment by destination options (RFC 7113)."""
    body = struct.pack(">BBHII", 64, 0, 1800, 0, 0) + b"\x01\x01" + marker[:6].ljust(6, b"\0")
    options = struct.pack(">BB", 58, 0) + b"\x01\x04" + bytes(4)
    whole = options + icmpv6(source, "ff02::1", 134, body)
    frames = []
    for start, more in ((0, 1), (8, 0)):
        part = whole[start : 8 if more else None]
        piece = struct.pack(">BBHI", 60, 0, start | more, 99) + part
        frames.append(ethernet(source_mac, ALL_NODES, 0x86DD, ipv6(source, "ff02::1", 44, piece)))
    return frames
