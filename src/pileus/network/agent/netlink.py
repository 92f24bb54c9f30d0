"""Links, addresses, routes and forwarding entries of one network namespace, over rtnetlink.

`ensure_*` and `set_*` change only what differs; all raise NetlinkError (an OSError) with the kernel's reason.
Source: rtnetlink(7), linux/if_addr.h, linux/rtnetlink.h, linux/neighbour.h.
"""

import ipaddress
import socket
import struct
from typing import NamedTuple

from pileus.network.agent import nlsocket as wire
from pileus.network.agent.links import LINKMSG, Link, Links, mac_bytes
from pileus.network.agent.nlsocket import NetlinkError

__all__ = ["Link", "Netlink", "NetlinkError", "Route"]

_NEWADDR, _DELADDR, _GETADDR = 20, 21, 22
_NEWROUTE, _DELROUTE, _GETROUTE = 24, 25, 26
_NEWNEIGH, _DELNEIGH, _GETNEIGH = 28, 29, 30
_ADDRMSG = struct.Struct("=BBBBi")
_ROUTEMSG = struct.Struct("=BBBBBBBBI")
_NEIGHMSG = struct.Struct("=BxxxiHBB")
_AF_BRIDGE = 7
_FLOOD = "00:00:00:00:00:00"


class Route(NamedTuple):
    """A route of the main table. `destination` is a CIDR; `via` a next hop, None when it is on the link."""

    destination: str
    via: str | None
    device: str


class Netlink(Links):
    """Everything of one namespace that netlink can tell and change."""

    # Addresses

    def addresses(self, device: str) -> set[str]:
        """Addresses of a device as CIDR text ("10.0.0.2/24"); IPv6 link-local ones are left out."""
        index = self.link_index(device)
        found = set()
        for body in self._socket.dump(_GETADDR, _ADDRMSG.pack(0, 0, 0, 0, 0)):
            family, length, _, _, owner = _ADDRMSG.unpack_from(body)
            if owner != index:
                continue
            parts = wire.parse(body, 8)
            address = ipaddress.ip_address(parts[2] if 2 in parts else parts[1])
            if not (family == socket.AF_INET6 and address.is_link_local):
                found.add(f"{address}/{length}")
        return found

    def ensure_addresses(self, device: str, wanted: set[str]) -> None:
        """Exactly these addresses (CIDR text with host bits) on the device; IPv6 ones without duplicate detection."""
        canonical = {str(ipaddress.ip_interface(cidr)) for cidr in wanted}
        present = self.addresses(device)
        index = self.link_index(device)
        for cidr in present - canonical:
            self._address(_DELADDR, index, cidr, 0)
        for cidr in canonical - present:
            self._address(_NEWADDR, index, cidr, wire.CREATE | wire.REPLACE)

    def _address(self, kind: int, index: int, cidr: str, flags: int) -> None:
        interface = ipaddress.ip_interface(cidr)
        family = socket.AF_INET if interface.version == 4 else socket.AF_INET6
        nodad = 0x02 if interface.version == 6 else 0
        payload = _ADDRMSG.pack(family, interface.network.prefixlen, nodad, 0, index)
        payload += wire.attribute(2, interface.packed) + wire.attribute(1, interface.packed)
        if interface.version == 4 and interface.network.prefixlen < 31:
            payload += wire.attribute(4, ipaddress.IPv4Network(interface.network).broadcast_address.packed)
        self._socket.request(kind, payload, flags)

    # Routes

    def routes(self) -> set[Route]:
        """Unicast routes of the main table that were put there by a program (not by the kernel for an address)."""
        names = {link.ifindex: link.name for link in self.links().values()}
        found = set()
        for body in self._socket.dump(_GETROUTE, _ROUTEMSG.pack(0, 0, 0, 0, 0, 0, 0, 0, 0)):
            family, length, _, _, table, protocol, _, kind, _ = _ROUTEMSG.unpack_from(body)
            if table != 254 or kind != 1 or protocol == 2:
                continue
            parts = wire.parse(body, 12)
            any_address = bytes(4 if family == socket.AF_INET else 16)
            destination = f"{ipaddress.ip_address(parts.get(1, any_address))}/{length}"
            via = str(ipaddress.ip_address(parts[5])) if 5 in parts else None
            found.add(Route(destination, via, names.get(wire.to_int(parts.get(4)), "")))
        return found

    def ensure_routes(self, wanted: set[Route]) -> None:
        """Exactly these program-made routes in the namespace's main table."""
        canonical = {route._replace(destination=str(ipaddress.ip_network(route.destination))) for route in wanted}
        present = self.routes()
        for route in present - canonical:
            self._route(_DELROUTE, route, 0)
        for route in sorted(canonical - present, key=lambda route: route.via is not None):  # on-link first
            self._route(_NEWROUTE, route, wire.CREATE | wire.REPLACE)

    def _route(self, kind: int, route: Route, flags: int) -> None:
        network = ipaddress.ip_network(route.destination)
        family = socket.AF_INET if network.version == 4 else socket.AF_INET6
        scope = 253 if route.via is None and network.version == 4 else 0  # link, universe
        payload = _ROUTEMSG.pack(family, network.prefixlen, 0, 0, 254, 4, scope, 1, 0)  # main table, static, unicast
        payload += wire.attribute(1, network.network_address.packed) + wire.u32(4, self.link_index(route.device))
        if route.via is not None:
            payload += wire.attribute(5, ipaddress.ip_address(route.via).packed)
        self._socket.request(kind, payload, flags)

    # Forwarding entries

    def flood(self, device: str) -> set[str]:
        """Tunnel addresses that a VXLAN device sends unknown and broadcast frames to."""
        index = self.link_index(device)
        found = set()
        for body in self._socket.dump(_GETNEIGH, LINKMSG.pack(_AF_BRIDGE, 0, index, 0, 0)):
            _, owner, _, _, _ = _NEIGHMSG.unpack_from(body)
            parts = wire.parse(body, 12)
            if owner == index and parts.get(2) == bytes(6) and 1 in parts:
                found.add(str(ipaddress.ip_address(parts[1])))
        return found

    def ensure_flood(self, device: str, peers: set[str]) -> None:
        """Exactly these peers get the frames of the VXLAN device whose place is not known."""
        index = self.link_index(device)
        present = self.flood(device)
        for kind, flags, changed in (
            (_DELNEIGH, 0, present - peers),
            (_NEWNEIGH, wire.CREATE | wire.APPEND, peers - present),
        ):
            for peer in changed:
                payload = _NEIGHMSG.pack(_AF_BRIDGE, index, 0x80, 0x02, 0)  # permanent, on the device itself
                payload += wire.attribute(2, mac_bytes(_FLOOD)) + wire.attribute(1, ipaddress.ip_address(peer).packed)
                self._socket.request(kind, payload, flags)
