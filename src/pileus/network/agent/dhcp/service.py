"""DHCP of the networks that this host serves: a namespace, a port on the network's bridge and a dnsmasq for each."""

import ipaddress
import os
import pwd
import shutil
import subprocess
from pathlib import Path

import msgspec

from pileus.network.agent.claims import Claims
from pileus.network.agent.dhcp import leases
from pileus.network.agent.dhcp.dnsmasq import Dnsmasq
from pileus.network.agent.dhcp.render import LEASES, METADATA, Rendering, render
from pileus.network.agent.dhcp.values import identifier
from pileus.network.agent.l2.bridges import bridge_of
from pileus.network.agent.l3 import attachment
from pileus.network.agent.l3.attachment import Attachment
from pileus.network.agent.l3.standing import Standing
from pileus.network.agent.namespaces import (
    ensure_namespace,
    namespace_exists,
    namespaces,
    remove_namespace,
    set_sysctl,
)
from pileus.network.agent.netlink import Link, Netlink
from pileus.network.agent.snapshot import Dhcp, HostNetwork, Network, Snapshot

PREFIX = "qdhcp-"
_USERS = ("dnsmasq", "nobody")


class _Served(msgspec.Struct, frozen=True):
    """What a network was made true as."""

    network: Network
    port: Attachment
    rendering: Rendering


class DhcpService:
    """Applier of `Network.dhcp`. Calls block and are serialised by the caller, `check` included."""

    def __init__(self, settings: HostNetwork) -> None:
        self._settings = settings
        self._claims = Claims(settings)
        self._folder = Path(settings.state).absolute() / "dhcp"
        self._user = "nobody"
        self._standing: Standing[_Served] = Standing()

    def start(self) -> None:
        """Raises RuntimeError when dnsmasq is missing or its user could not read its files."""
        if shutil.which("dnsmasq") is None:
            raise RuntimeError("dnsmasq is not installed: install the package dnsmasq-base")
        known = {entry.pw_name for entry in pwd.getpwall()}
        self._user = next(name for name in (*_USERS, "root") if name in known)
        self._folder.mkdir(mode=0o755, parents=True, exist_ok=True)
        for folder in (self._folder, *self._folder.parents):
            if self._user != "root" and not os.stat(folder).st_mode & 0o001:
                raise RuntimeError(
                    f"dnsmasq runs as user {self._user}, which may not enter {folder}: chmod o+x {folder}"
                )

    def apply(self, snapshot: Snapshot) -> dict[str, str]:
        """Faults by network id (nothing is served, or less than asked) and by port id (that host or option is left out)."""
        faults: dict[str, str] = {}
        self._standing.next_turn()
        with Netlink() as host:
            links = host.links()
            present = namespaces()
            for network in snapshot.networks:
                if network.dhcp is None:
                    continue
                try:
                    faults |= self._serve(network, network.dhcp, host, links, present)
                except (OSError, LookupError, ValueError, RuntimeError, subprocess.SubprocessError) as error:
                    self._standing.forget(network.id)
                    faults[network.id] = f"DHCP is not served: {error}"
        for id in self._made() - _wanted(snapshot):
            try:
                self._remove(id)
            except OSError as error:
                faults[id] = f"DHCP could not be taken down: {error}"
        return faults

    def check(self) -> None:
        """Start each dnsmasq that has died since the last apply. Costs a read of /proc for each network."""
        for id in self._made():
            served, daemon = self._standing.get(id), self._daemon(id)
            if served is not None and served.rendering.ranges and not daemon.alive():
                daemon.ensure(served.port.namespace, served.rendering.arguments, served.rendering.files)

    def leaks(self, snapshot: Snapshot) -> list[str]:
        """Namespaces, folders and dnsmasq processes of networks that this host does not serve."""
        unwanted = self._made() - _wanted(snapshot)
        found = [f"namespace {name}" for name in sorted(namespaces()) if name.removeprefix(PREFIX) in unwanted]
        found += [f"folder {self._folder / id}" for id in sorted(unwanted) if (self._folder / id).is_dir()]
        mine = f"--pid-file={self._folder}/"
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                arguments = Path("/proc", pid, "cmdline").read_bytes().decode(errors="replace").split("\0")
            except OSError:
                continue
            ids = [word.removeprefix(mine).partition("/")[0] for word in arguments if word.startswith(mine)]
            found += [f"process {pid} (dnsmasq of network {id})" for id in ids if id not in _wanted(snapshot)]
        return found

    def stop(self, remove: bool) -> None:
        """dnsmasq goes on without the agent; with `remove` every daemon, namespace and folder goes."""
        if not remove:
            return
        for id in self._made():
            self._remove(id)
        if self._folder.is_dir():
            shutil.rmtree(self._folder)

    def _serve(
        self, network: Network, dhcp: Dhcp, host: Netlink, links: dict[str, Link], present: set[str]
    ) -> dict[str, str]:
        served = self._standing.get(network.id)
        daemon = self._daemon(network.id)
        if (
            served is not None
            and self._standing.holds(network.id, served)
            and served.network == network
            and served.port.namespace in present
            and attachment.plugged(served.port, links)
            and (daemon.alive() or not served.rendering.ranges)
        ):
            return served.rendering.faults
        port = self._port(network, dhcp)
        rendering = render(network, dhcp, daemon.folder, port.device, self._user)
        if port.namespace not in present:
            self._claims.claim(port.namespace)
            ensure_namespace(port.namespace)
            set_sysctl(port.namespace, "net/ipv6/conf/default/accept_ra", "0")
            daemon.stop()  # it sits in a namespace that has no name any more
        with Netlink(port.namespace) as inside:
            attachment.ensure(port, host, inside)
            attachment.remove_others(inside, ("ns-",), {port.device})
        if rendering.ranges:
            self._run(daemon, dhcp, port, rendering)
        else:
            daemon.remove()
        self._standing.record(network.id, _Served(network, port, rendering))
        return rendering.faults

    def _run(self, daemon: Dnsmasq, dhcp: Dhcp, port: Attachment, rendering: Rendering) -> None:
        file = daemon.folder / LEASES
        old, old_ipv6 = leases.stale(leases.read(file), rendering.leases), leases.stale_ipv6(file, rendering.leases)
        if old_ipv6:  # rare, and a release in DHCPv6 is the client's own to make
            daemon.stop()
            leases.forget(file, old_ipv6)
        daemon.ensure(port.namespace, rendering.arguments, rendering.files)
        own = [ip.ip_address for ip in dhcp.fixed_ips if ipaddress.ip_address(ip.ip_address).version == 4]
        if old and own:
            leases.release(port.namespace, port.device, own[0], old)

    def _port(self, network: Network, dhcp: Dhcp) -> Attachment:
        addresses = attachment.cidrs(dhcp.fixed_ips, network.subnets)
        return Attachment(
            port_id=dhcp.port_id,
            prefix="ns-",
            namespace=PREFIX + identifier(network.id),
            bridge=bridge_of(network, self._settings),
            mac=dhcp.mac,
            mtu=network.mtu,
            addresses=addresses | {METADATA} if dhcp.serves_metadata else addresses,
        )

    def _daemon(self, id: str) -> Dnsmasq:
        return Dnsmasq(self._folder / id)

    def _made(self) -> set[str]:
        """Ids of networks that have a namespace or a folder."""
        folders = {entry.name for entry in self._folder.iterdir()} if self._folder.is_dir() else set()
        return folders | {name.removeprefix(PREFIX) for name in self._claims.names(PREFIX)}

    def _remove(self, id: str) -> None:
        self._standing.forget(id)
        self._daemon(id).remove()
        if namespace_exists(PREFIX + id):
            with Netlink(PREFIX + id) as inside:
                attachment.remove_others(inside, ("ns-",), set())
        remove_namespace(PREFIX + id)
        self._claims.drop(PREFIX + id)


def _wanted(snapshot: Snapshot) -> set[str]:
    return {network.id for network in snapshot.networks if network.dhcp is not None}
