"""A port of our own in a namespace (DHCP port, router interface): a veth pair from the namespace to the network's bridge."""

import msgspec

from pileus.network.agent.names import tap_name
from pileus.network.agent.namespaces import set_sysctl
from pileus.network.agent.netlink import Link, Netlink
from pileus.network.agent.snapshot import FixedIp, Subnet


class Attachment(msgspec.Struct, frozen=True):
    """`addresses` are CIDR text with host bits. The device in the namespace has the port's MAC; the other end is `outside`."""

    port_id: str
    prefix: str  # ns-, qr-, qg-
    namespace: str
    bridge: str
    mac: str
    mtu: int
    addresses: frozenset[str]

    @property
    def device(self) -> str:
        return self.prefix + self.port_id[:11]

    @property
    def outside(self) -> str:
        return tap_name(self.port_id)


def cidrs(fixed_ips: tuple[FixedIp, ...], subnets: tuple[Subnet, ...]) -> frozenset[str]:
    """The addresses with the prefix length of their subnets; KeyError when a subnet is not among the network's."""
    lengths = {subnet.id: subnet.cidr.rpartition("/")[2] for subnet in subnets}
    return frozenset(f"{ip.ip_address}/{lengths[ip.subnet_id]}" for ip in fixed_ips)


def plugged(attachment: Attachment, links: dict[str, Link]) -> bool:
    """Whether the outer end stands and is up on its bridge, as far as the links of the host tell."""
    outside, bridge = links.get(attachment.outside), links.get(attachment.bridge)
    return outside is not None and bridge is not None and outside.up and outside.master == bridge.ifindex


def ensure(attachment: Attachment, host: Netlink, inside: Netlink) -> set[str]:
    """Make the pair true and return the addresses that are new on it. `inside` is in the attachment's namespace.

    Raises LookupError when the bridge is missing, NetlinkError with the kernel's reason.
    """
    device, outside = attachment.device, attachment.outside
    if host.link(attachment.bridge) is None:
        raise LookupError(f"bridge {attachment.bridge} of the port's network does not exist on this host")
    if host.link(outside) is None or inside.link(device) is None:
        host.ensure_veth(outside, device, attachment.namespace)
        host.set_silent(outside)
        set_sysctl(attachment.namespace, f"net/ipv6/conf/{device}/accept_ra", "0")
    host.set_mtu(outside, attachment.mtu)
    inside.set_mac(device, attachment.mac)
    inside.set_mtu(device, attachment.mtu)
    before = inside.addresses(device)
    inside.ensure_addresses(device, set(attachment.addresses))
    inside.set_up(device)
    host.set_master(outside, attachment.bridge)
    host.set_up(outside)
    return set(attachment.addresses) - before


def remove_others(inside: Netlink, prefixes: tuple[str, ...], keep: set[str]) -> None:
    """Delete devices of ours in the namespace that are not wanted any more; their outer ends go with them."""
    for name in inside.links():
        if name.startswith(prefixes) and name not in keep:
            inside.delete(name)
