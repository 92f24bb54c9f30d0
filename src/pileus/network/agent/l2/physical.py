"""The bridge of a physical network: where flat networks, the host's own address and a real interface meet."""

import ipaddress

from pileus.network.agent.namespaces import set_sysctl
from pileus.network.agent.netlink import Netlink
from pileus.network.agent.snapshot import PhysicalNetwork

OURS = "pileus"  # alias of a bridge that did not exist before, so that only such a one is taken down


def ensure_physical(netlink: Netlink, physical: PhysicalNetwork) -> None:
    """The bridge exists and is up, with its address and its interface. Raises OSError."""
    if netlink.link(physical.bridge) is None:
        netlink.ensure_bridge(physical.bridge)
        netlink.set_alias(physical.bridge, OURS)
    if physical.interface is not None:
        netlink.set_master(physical.interface, physical.bridge)
        netlink.set_up(physical.interface)
    netlink.set_up(physical.bridge)
    if physical.address is not None:
        wanted = str(ipaddress.ip_interface(physical.address))
        netlink.ensure_addresses(physical.bridge, netlink.addresses(physical.bridge) | {wanted})
    if physical.masquerade:
        version = ipaddress.ip_interface(physical.address).version if physical.address is not None else 4
        key = "net/ipv4/ip_forward" if version == 4 else "net/ipv6/conf/all/forwarding"
        set_sysctl(netlink.namespace, key, "1")


def remove_physical(netlink: Netlink, physical: PhysicalNetwork) -> None:
    """Take down the bridge if it was made here; an operator's own bridge and interface stay as they are."""
    found = netlink.link(physical.bridge)
    if found is None or found.alias != OURS:
        return
    if physical.interface is not None and netlink.link(physical.interface) is not None:
        netlink.set_master(physical.interface, None)
    netlink.delete(physical.bridge)
