"""Links of one network namespace, over rtnetlink: bridges, veth pairs, VXLAN ends and taps.

Source: rtnetlink(7), linux/if_link.h, linux/if_tun.h.
"""

import fcntl
import ipaddress
import os
import secrets
import socket
import struct
from collections.abc import Iterable
from typing import NamedTuple, Self

from pileus.network.agent import nlsocket as wire
from pileus.network.agent.namespaces import NAMED, entered, set_sysctl
from pileus.network.agent.nlsocket import Attributes, NetlinkError, NetlinkSocket

_NEWLINK, _DELLINK, _GETLINK = 16, 17, 18
_ADDRESS, _IFNAME, _MTU, _MASTER, _LINKINFO, _ALIAS = 1, 3, 4, 10, 18, 20
_GROUP, _NET_NS_FD, _EXT_MASK = 27, 28, 29
_INFO_KIND, _INFO_DATA = 1, 2
_SKIP_STATS = 8
_UP = 1
LINKMSG = struct.Struct("=BxHiII")
_TUNSETIFF, _TUNSETPERSIST = 0x400454CA, 0x400454CB
_IFF_TAP, _IFF_NO_PI, _IFF_VNET_HDR = 0x2, 0x1000, 0x4000
_DOOMED = 0x706C6575  # link group of what is being deleted


class Link(NamedTuple):
    ifindex: int
    name: str
    kind: str  # bridge, veth, vxlan, tun; "" for hardware and loopback
    mac: str
    mtu: int
    master: int  # index of the bridge it is a port of, else 0
    up: bool
    data: bytes  # what the kind tells of itself, undecoded
    alias: str  # free text that its maker left


def mac_bytes(mac: str) -> bytes:
    return bytes.fromhex(mac.replace(":", ""))


def _link(body: bytes) -> Link:
    _, _, index, flags, _ = LINKMSG.unpack_from(body)
    found = wire.parse(body, 16)
    info: Attributes = wire.parse(found[_LINKINFO]) if _LINKINFO in found else {}
    return Link(
        index,
        wire.to_text(found[_IFNAME]),
        wire.to_text(info.get(_INFO_KIND, b"")),
        found.get(_ADDRESS, b"").hex(":"),
        wire.to_int(found.get(_MTU)),
        wire.to_int(found.get(_MASTER)),
        bool(flags & _UP),
        info.get(_INFO_DATA, b""),
        wire.to_text(found.get(_ALIAS, b"")),
    )


class Links:
    """One socket in one namespace (None: the caller's own), for one thread. Close it or use it in `with`."""

    def __init__(self, namespace: str | None = None) -> None:
        self.namespace = namespace
        self._socket = NetlinkSocket(socket.NETLINK_ROUTE, namespace)

    def close(self) -> None:
        self._socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def links(self) -> dict[str, Link]:
        """All links by name, in one dump."""
        query = LINKMSG.pack(0, 0, 0, 0, 0) + wire.u32(_EXT_MASK, _SKIP_STATS)
        return {link.name: link for link in map(_link, self._socket.dump(_GETLINK, query))}

    def link(self, name: str) -> Link | None:
        try:
            bodies = self._socket.get(_GETLINK, LINKMSG.pack(0, 0, 0, 0, 0) + wire.text(_IFNAME, name))
        except NetlinkError as error:
            if error.errno == 19:  # ENODEV
                return None
            raise
        return _link(bodies[0])

    def link_index(self, name: str) -> int:
        """Index of a link that must exist."""
        found = self.link(name)
        if found is None:
            raise NetlinkError(19, f"no device {name}")
        return found.ifindex

    def add_link(self, name: str, kind: str, *info: bytes, extra: bytes = b"") -> None:
        """Make a link of a kind; `info` are attributes of the kind, `extra` of the link."""
        detail = wire.nested(
            _LINKINFO, wire.text(_INFO_KIND, kind), *([wire.nested(_INFO_DATA, *info)] if info else [])
        )
        payload = LINKMSG.pack(0, 0, 0, 0, 0) + wire.text(_IFNAME, name) + extra + detail
        self._socket.request(_NEWLINK, payload, wire.CREATE | wire.EXCL)

    def delete(self, name: str) -> None:
        """Delete a link; nothing happens when it is gone."""
        found = self.link(name)
        if found is not None:
            self._socket.request(_DELLINK, LINKMSG.pack(0, 0, found.ifindex, 0, 0))

    def delete_all(self, names: Iterable[str]) -> None:
        """Delete many links in one go: one by one each would wait some 20 ms for the kernel's readers to be done."""
        doomed = [found for name in names if (found := self.link(name)) is not None]
        for found in doomed:
            self._set(found, wire.u32(_GROUP, _DOOMED))
        if doomed:
            self._socket.request(_DELLINK, LINKMSG.pack(0, 0, 0, 0, 0) + wire.u32(_GROUP, _DOOMED))

    def ensure_bridge(self, name: str) -> Link:
        """A bridge without STP, delay or multicast snooping, whose MAC address does not move when ports come and go."""
        found = self.link(name)
        if found is None:
            address = wire.attribute(_ADDRESS, b"\x02" + secrets.token_bytes(5))
            self.add_link(name, "bridge", wire.u32(1, 0), wire.u32(5, 0), wire.u8(23, 0), extra=address)
            found = self._existing(name)
        return self._of_kind(found, "bridge")

    def ensure_veth(self, name: str, peer: str, peer_namespace: str | None = None) -> Link:
        """A veth pair with `name` here and `peer` in the other namespace (None: here too). A half pair is made anew."""
        found = self.link(name)
        if found is not None:
            with Links(peer_namespace if peer_namespace is not None else self.namespace) as there:
                if self._of_kind(found, "veth") and there.link(peer) is not None:
                    return found
            self.delete(name)
        far = LINKMSG.pack(0, 0, 0, 0, 0) + wire.text(_IFNAME, peer)
        if peer_namespace is None:
            self.add_link(name, "veth", wire.attribute(1, far))
            return self._existing(name)
        descriptor = os.open(NAMED / peer_namespace, os.O_RDONLY | os.O_CLOEXEC)
        try:
            self.add_link(name, "veth", wire.attribute(1, far + wire.u32(_NET_NS_FD, descriptor)))
        finally:
            os.close(descriptor)
        return self._existing(name)

    def ensure_vxlan(self, name: str, vni: int, local: str, port: int, bridge: str | None = None) -> Link:
        """A VXLAN end on the address `local`, made as a port of `bridge`.

        It learns where guests are, and floods to what `ensure_flood` names.
        """
        found = self.link(name)
        if found is not None:
            info = wire.parse(self._of_kind(found, "vxlan").data)
            same_local = ipaddress.ip_address(local).packed in (info.get(4), info.get(17))
            if same_local and wire.to_int(info.get(1)) == vni and info.get(15) == struct.pack(">H", port):
                return found
            self.delete(name)
        address = ipaddress.ip_address(local)
        near = wire.attribute(4 if address.version == 4 else 17, address.packed)
        extra = wire.u32(_MASTER, self.link_index(bridge)) if bridge is not None else b""
        self.add_link(name, "vxlan", wire.u32(1, vni), near, wire.u8(7, 1), wire.be16(15, port), extra=extra)
        return self._existing(name)

    def ensure_tap(self, name: str) -> Link:
        """A persistent tap that a hypervisor opens by name."""
        found = self.link(name)
        if found is not None:
            return self._of_kind(found, "tun")
        with entered(self.namespace):
            descriptor = os.open("/dev/net/tun", os.O_RDWR | os.O_CLOEXEC)
        try:
            wanted = struct.pack("=16sH22x", name.encode(), _IFF_TAP | _IFF_NO_PI | _IFF_VNET_HDR)
            fcntl.ioctl(descriptor, _TUNSETIFF, wanted)
            fcntl.ioctl(descriptor, _TUNSETPERSIST, 1)
        finally:
            os.close(descriptor)
        return self._existing(name)

    def set_master(self, name: str, bridge: str | None) -> None:
        """Plug a link into a bridge, or with None take it out."""
        found = self._existing(name)
        master = self.link_index(bridge) if bridge is not None else 0
        if found.master != master:
            self._set(found, wire.u32(_MASTER, master))

    def plug(self, name: str, bridge: str, mtu: int) -> None:
        """A port of the bridge: in it, up, with this MTU and without IPv6 of its own."""
        found, master = self._existing(name), self.link_index(bridge)
        set_sysctl(self.namespace, f"net/ipv6/conf/{name}/disable_ipv6", "1")
        if (found.master, found.mtu, found.up) != (master, mtu, True):
            payload = LINKMSG.pack(0, 0, found.ifindex, _UP, _UP) + wire.u32(_MTU, mtu) + wire.u32(_MASTER, master)
            self._socket.request(_NEWLINK, payload)

    def set_up(self, name: str, up: bool = True) -> None:
        found = self._existing(name)
        if found.up != up:
            self._socket.request(_NEWLINK, LINKMSG.pack(0, 0, found.ifindex, _UP if up else 0, _UP))

    def set_mtu(self, name: str, mtu: int) -> None:
        found = self._existing(name)
        if found.mtu != mtu:
            self._set(found, wire.u32(_MTU, mtu))

    def set_mac(self, name: str, mac: str) -> None:
        found = self._existing(name)
        if found.mac != mac.lower():
            self._set(found, wire.attribute(_ADDRESS, mac_bytes(mac)))

    def set_alias(self, name: str, alias: str) -> None:
        self._set(self._existing(name), wire.text(_ALIAS, alias))

    def set_silent(self, name: str) -> None:
        """No IPv6 and no ARP answers on a bridge: what belongs to guests is not a way to reach this machine."""
        set_sysctl(self.namespace, f"net/ipv6/conf/{name}/disable_ipv6", "1")
        set_sysctl(self.namespace, f"net/ipv4/conf/{name}/arp_ignore", "8")

    def _existing(self, name: str) -> Link:
        found = self.link(name)
        if found is None:
            raise NetlinkError(19, f"no device {name}")
        return found

    def _of_kind(self, found: Link, kind: str) -> Link:
        if found.kind != kind:
            raise NetlinkError(17, f"{found.name} exists and is a {found.kind or 'hardware'} device, not a {kind}")
        return found

    def _set(self, found: Link, *attributes: bytes) -> None:
        self._socket.request(_NEWLINK, LINKMSG.pack(0, 0, found.ifindex, 0, 0) + b"".join(attributes))
