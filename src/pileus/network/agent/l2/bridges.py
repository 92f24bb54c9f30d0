"""Bridges, taps and tunnels of the host: one bridge a network, and on it the taps of its servers."""

import re
from collections.abc import Callable, Iterable, Set
from typing import ParamSpec

from pileus.network.agent.l2.physical import ensure_physical, remove_physical
from pileus.network.agent.names import BadId, bridge_name, patch_names, tap_name, vxlan_name
from pileus.network.agent.netlink import Link, Netlink
from pileus.network.agent.snapshot import HostNetwork, Network, Port, Snapshot

_OURS = re.compile(r"(brq|px-|py-|tap)[0-9a-f]{8}-[0-9a-f]{2}|vxlan-\d{1,8}")
_KINDS = {"brq": "bridge", "tap": "tun", "px-": "veth", "py-": "veth", "vxl": "vxlan"}

P = ParamSpec("P")

Standing = tuple[object, ...]


def bridge_of(network: Network, settings: HostNetwork) -> str:
    """The bridge that a port of the network is plugged into, whatever carries the network between hosts."""
    del settings  # the bridge is the network's own, for every type
    return bridge_name(network.id)


class UnknownNetwork(ValueError):
    """A network that this mechanism can not carry; the message says why."""


class Bridges:
    """Applier of layer 2 in the namespace of the calling thread. Devices outlive the agent."""

    def __init__(self, settings: HostNetwork) -> None:
        self._settings = settings
        self._stood: dict[str, Standing] = {}

    def start(self) -> None:
        """Make the bridges of the physical networks. Raises OSError."""
        with Netlink() as netlink:
            for physical in self._settings.physical_networks.values():
                ensure_physical(netlink, physical)

    def withdraw(self, snapshot: Snapshot) -> None:
        """Take down what is no longer wanted: to be called before the rules that guard it are taken away."""
        with Netlink() as netlink:
            netlink.delete_all(_unwanted(netlink.links(), snapshot))

    def apply(self, snapshot: Snapshot, held: Set[str] = frozenset()) -> dict[str, str]:
        """Make and plug what is wanted, except the ports that are `held`. Returns faults by network or port id."""
        faults: dict[str, str] = {}
        with Netlink() as netlink:
            links = netlink.links()
            for network in snapshot.networks:
                if self._stood.get(network.id) == _standing(network, links):
                    continue
                if fault := _fault(self._ensure_network, netlink, links, network):
                    faults[network.id] = fault
            links = netlink.links()
            self._stood = {
                network.id: _standing(network, links) for network in snapshot.networks if network.id not in faults
            }
            mtus = {network.id: network.mtu for network in snapshot.networks if network.id not in faults}
            for port in snapshot.ports:
                if port.id in held:
                    continue
                if port.network_id not in mtus:
                    faults[port.id] = faults.get(port.network_id, f"network {port.network_id} is not on this host")
                elif fault := _fault(_ensure_port, netlink, links, port, mtus[port.network_id]):
                    faults[port.id] = fault
        return faults

    def leaks(self, snapshot: Snapshot) -> list[str]:
        """Our devices that the snapshot does not explain."""
        with Netlink() as netlink:
            return sorted(_unwanted(netlink.links(), snapshot))

    def stop(self, remove: bool) -> None:
        """With `remove` take down every device; without, all stay, for the guests that go on."""
        if not remove:
            return
        self.withdraw(Snapshot(self._settings.host, 0))
        with Netlink() as netlink:
            for physical in self._settings.physical_networks.values():
                remove_physical(netlink, physical)

    def _ensure_network(self, netlink: Netlink, links: dict[str, Link], network: Network) -> None:
        bridge = bridge_name(network.id)
        if bridge not in links:
            netlink.ensure_bridge(bridge)
        netlink.set_silent(bridge)
        if network.network_type == "vxlan":
            self._ensure_tunnel(netlink, bridge, network)
        elif network.network_type == "flat":
            self._ensure_patch(netlink, bridge, network)
        elif network.network_type != "local":
            raise UnknownNetwork(f"network type {network.network_type} is not carried by the linux bridge mechanism")
        netlink.set_mtu(bridge, network.mtu)
        netlink.set_up(bridge)

    def _ensure_tunnel(self, netlink: Netlink, bridge: str, network: Network) -> None:
        if network.segmentation_id is None or not 0 < network.segmentation_id < 1 << 24:
            raise UnknownNetwork(f"no VXLAN network identifier: {network.segmentation_id}")
        name, local = vxlan_name(network.segmentation_id), self._settings.tunnel_ip
        netlink.ensure_vxlan(name, network.segmentation_id, local, self._settings.vxlan_port, bridge)
        netlink.plug(name, bridge, network.mtu)
        netlink.ensure_flood(name, set(network.peers) - {local})

    def _ensure_patch(self, netlink: Netlink, bridge: str, network: Network) -> None:
        physical = self._settings.physical_networks.get(network.physical_network or "")
        if physical is None:
            raise UnknownNetwork(f"physical network {network.physical_network} is not configured on this host")
        ensure_physical(netlink, physical)
        near, far = patch_names(network.id)
        netlink.ensure_veth(near, far)
        netlink.plug(far, physical.bridge, network.mtu)
        netlink.plug(near, bridge, network.mtu)


def _ensure_port(netlink: Netlink, links: dict[str, Link], port: Port, mtu: int) -> None:
    name, bridge = tap_name(port.id), bridge_name(port.network_id)
    found = links.get(name)
    wanted = ("tun", mtu, links[bridge].ifindex, True)
    if found is not None and (found.kind, found.mtu, found.master, found.up) == wanted:
        return
    netlink.ensure_tap(name)
    netlink.plug(name, bridge, mtu)


def _standing(network: Network, links: dict[str, Link]) -> Standing:
    """What was asked for a network and the devices that answer it, to see at a glance that nothing changed."""
    names = _devices(network)
    devices = tuple(link and link._replace(data=b"") for link in map(links.get, names))
    wanted = (network.network_type, network.physical_network, network.segmentation_id, network.mtu, network.peers)
    return wanted, devices


def _fault(action: Callable[P, None], *args: P.args, **kwargs: P.kwargs) -> str | None:
    try:
        action(*args, **kwargs)
    except (OSError, ValueError) as error:
        return str(error)
    return None


def _unwanted(links: dict[str, Link], snapshot: Snapshot) -> list[str]:
    """Devices with a name of ours that nothing in the snapshot asks for. Of a cable only one end is named."""
    wanted = set(_wanted(snapshot.networks, snapshot.ports))
    indices = {link.ifindex: link.name for link in links.values()}
    found = []
    for link in links.values():
        if link.name in wanted or not _OURS.fullmatch(link.name) or link.kind != _KINDS[link.name[:3]]:
            continue
        foreign_tunnel = link.kind == "vxlan" and not indices.get(link.master, "").startswith("brq")
        if not foreign_tunnel and not (link.name.startswith("py-") and f"px-{link.name[3:]}" in links):
            found.append(link.name)
    return found


def _wanted(networks: Iterable[Network], ports: Iterable[Port]) -> Iterable[str]:
    for network in networks:
        yield from _devices(network)
    for port in ports:
        try:
            yield tap_name(port.id)
        except BadId:
            continue


def _devices(network: Network) -> tuple[str, ...]:
    """Names of the devices that a network has on this host."""
    try:
        bridge = bridge_name(network.id)
    except BadId:
        return ()
    if network.network_type == "flat":
        return (bridge, *patch_names(network.id))
    if network.network_type == "vxlan" and network.segmentation_id is not None:
        return bridge, vxlan_name(network.segmentation_id)
    return (bridge,)
