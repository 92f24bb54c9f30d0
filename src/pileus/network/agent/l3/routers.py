"""Routers of projects: a namespace each, with a leg on each network, NAT in one nftables transaction, and its routes."""

import shutil
import subprocess

from pileus.network.agent.claims import Claims
from pileus.network.agent.l3 import attachment, conntrack, ruleset
from pileus.network.agent.l3.announce import announce
from pileus.network.agent.l3.plan import PREFIX, Plan, plan_of
from pileus.network.agent.l3.standing import Standing
from pileus.network.agent.namespaces import (
    ensure_namespace,
    namespace_exists,
    namespaces,
    remove_namespace,
    run_in,
    set_sysctl,
)
from pileus.network.agent.netlink import Netlink
from pileus.network.agent.snapshot import HostNetwork, Snapshot

_DEVICES = ("qr-", "qg-")
_SYSCTLS = {
    "net/ipv4/conf/all/rp_filter": "1",  # a source address must belong where the packet came in
    "net/ipv4/conf/default/rp_filter": "1",
    "net/ipv4/conf/all/arp_ignore": "1",  # an address is answered for on its own leg only
    "net/ipv4/conf/all/arp_announce": "2",
    "net/ipv4/conf/all/send_redirects": "0",
    "net/ipv4/conf/default/send_redirects": "0",
    "net/ipv6/conf/default/accept_ra": "0",
}


class Routers:
    """Applier of `Snapshot.routers`. Calls block and are serialised by the caller."""

    def __init__(self, settings: HostNetwork) -> None:
        self._settings = settings
        self._claims = Claims(settings)
        self._standing: Standing[Plan] = Standing()

    def start(self) -> None:
        """Raises RuntimeError when a program that routers need is missing."""
        for program, package in (("nft", "nftables"), ("conntrack", "conntrack")):
            if shutil.which(program) is None:
                raise RuntimeError(f"{program} is not installed: install the package {package}")

    def apply(self, snapshot: Snapshot) -> dict[str, str]:
        """Faults by router id."""
        faults: dict[str, str] = {}
        networks = {network.id: network for network in snapshot.networks}
        self._standing.next_turn()
        with Netlink() as host:
            links = host.links()
            present = namespaces()
            for router in snapshot.routers:
                try:
                    plan = plan_of(router, networks, self._settings)
                    if not (
                        self._standing.holds(router.id, plan)
                        and plan.namespace in present
                        and all(attachment.plugged(leg, links) for leg in plan.legs)
                    ):
                        self._ensure(router.id, plan, host)
                except (OSError, LookupError, ValueError, RuntimeError, subprocess.SubprocessError) as error:
                    self._standing.forget(router.id)
                    faults[router.id] = f"the router is not in force: {error}"
        for name in self._unwanted(snapshot):
            try:
                self._remove(name)
            except OSError as error:
                faults[name.removeprefix(PREFIX)] = f"the router could not be taken down: {error}"
        return faults

    def leaks(self, snapshot: Snapshot) -> list[str]:
        """Namespaces of routers that this host does not have."""
        return [f"namespace {name}" for name in self._unwanted(snapshot)]

    def stop(self, remove: bool) -> None:
        """Routers work without the agent; with `remove` every one goes."""
        if remove:
            for name in self._unwanted(Snapshot(host=self._settings.host, generation=0)):
                self._remove(name)

    def _ensure(self, id: str, plan: Plan, host: Netlink) -> None:
        self._claims.claim(plan.namespace)
        ensure_namespace(plan.namespace)
        forward = "1" if plan.rules.forwarding else "0"
        if not plan.rules.forwarding:
            set_sysctl(plan.namespace, "net/ipv4/ip_forward", forward)
        for key, value in _SYSCTLS.items():
            set_sysctl(plan.namespace, key, value)
        with Netlink(plan.namespace) as inside:
            fresh = [(leg, attachment.ensure(leg, host, inside)) for leg in plan.legs]
            attachment.remove_others(inside, _DEVICES, {leg.device for leg in plan.legs})
            inside.ensure_routes(set(plan.routes))
        digest, floating = ruleset.in_force(run_in(plan.namespace, ["nft", "list", "ruleset", "ip"]))
        if digest != ruleset.digest(plan.rules):
            run_in(plan.namespace, ["nft", "-f", "-"], ruleset.text(plan.rules))
        conntrack.forget(plan.namespace, (address for address, _ in floating - set(plan.rules.floating)))
        set_sysctl(plan.namespace, "net/ipv4/ip_forward", forward)
        set_sysctl(plan.namespace, "net/ipv6/conf/all/forwarding", forward)
        for leg, addresses in fresh:
            if addresses:
                announce(plan.namespace, leg.device, leg.mac, addresses)
        self._standing.record(id, plan)

    def _unwanted(self, snapshot: Snapshot) -> list[str]:
        wanted = {PREFIX + router.id for router in snapshot.routers}
        return sorted(self._claims.names(PREFIX) - wanted)

    def _remove(self, name: str) -> None:
        self._standing.forget(name.removeprefix(PREFIX))
        if namespace_exists(name):
            with Netlink(name) as inside:
                attachment.remove_others(inside, _DEVICES, set())
        remove_namespace(name)
        self._claims.drop(name)
