"""The firewall of the host: keeps the kernel's rules equal to the snapshot, one nft transaction at a time."""

import secrets
import shutil
from pathlib import Path

from pileus.network.agent.firewall.conntrack import Conntrack
from pileus.network.agent.firewall.flows import Owners, Sweep, owners_of, sweep
from pileus.network.agent.firewall.in_force import device_elements, object_names, zones_in_force
from pileus.network.agent.firewall.numbering import Numbering
from pileus.network.agent.firewall.policy import Policy, policy_of, ruleset_of
from pileus.network.agent.firewall.ruleset import Ruleset, difference
from pileus.network.agent.firewall.tables import BRIDGE, INET, base_text
from pileus.network.agent.names import bridge_name
from pileus.network.agent.namespaces import ProgramFailed, run_in, set_sysctl
from pileus.network.agent.snapshot import HostNetwork, Port, SecurityGroup, Snapshot

ZONES = range(10000, 60000)
_MARKS = range(1, 1 << 28)
_HOOKS = ("net/bridge/bridge-nf-call-iptables", "net/bridge/bridge-nf-call-ip6tables")

Relevant = tuple[tuple[Port, ...], tuple[SecurityGroup, ...], tuple[str, ...]]
"""The parts of a snapshot that rules are made of: ports, security groups, ids of networks."""


class FirewallUnavailable(RuntimeError):
    """This machine can not filter bridged packets; the message says what is missing."""


def _nft(text: str, *options: str) -> str:
    return run_in(None, ["nft", *options, "-f", "-"], input=text)


class Firewall:
    """Applier of anti-spoofing and security groups in the namespace of the calling thread. Rules outlive the agent."""

    def __init__(self, settings: HostNetwork) -> None:
        self._settings = settings
        self._marks = Numbering(_MARKS, secrets.randbelow(len(_MARKS)), {})
        self._zones = Numbering(ZONES, 0, {})
        self._seen: Relevant | None = None
        self._policy = Policy()
        self._in_force: Ruleset | None = None
        self._generation = -1
        self._owners: Owners = {}
        self.last_sweep = Sweep(0, 0, 0)

    def start(self) -> None:
        """Check that rules can work here, and learn from rules in force which network has which conntrack zone."""
        if shutil.which("nft") is None:
            raise FirewallUnavailable("program nft not found: install the package nftables")
        self._hook_bridges()
        try:
            _nft(base_text(self._settings), "-c")
        except ProgramFailed as error:
            raise FirewallUnavailable(f"the kernel refuses the rules of the firewall: {error}") from error
        zones = zones_in_force()
        self._zones = Numbering(ZONES, max(zones.values(), default=ZONES.start - 1) + 1 - ZONES.start, zones)

    def apply(self, snapshot: Snapshot) -> dict[str, str]:
        """Put the snapshot's rules into force and cut off connections they no longer allow. Returns faults by id.

        Raises ProgramFailed when the kernel refuses the whole transaction: then the former rules stay in force.
        """
        self._hook_bridges()
        relevant = (snapshot.ports, snapshot.security_groups, tuple(network.id for network in snapshot.networks))
        in_force = self._in_force is not None and self._ruleset_generation() == self._generation
        if in_force and relevant == self._seen:
            return dict(self._policy.faults)
        policy = policy_of(snapshot)
        self._install(ruleset_of(policy, self._marks, self._zone_of))
        self._marks.release(policy.ports.keys())
        self._zones.release({bridge_name(network) for network in policy.networks})
        owners = owners_of(policy, self._zone_of)
        self.last_sweep = sweep(self._owners, owners, policy, ZONES, self._zones.used())
        self._seen, self._policy, self._owners = relevant, policy, owners
        return dict(policy.faults)

    def leaks(self, snapshot: Snapshot) -> list[str]:
        """Chains, sets and taps in the kernel's rules that the snapshot does not explain."""
        wanted = ruleset_of(policy_of(snapshot), lambda _: 1, lambda _: 1)
        expected = {f"{table} {name}" for table, name in wanted.chains.keys() | wanted.declared.keys()}
        found = [f"nft {name}" for name in object_names() if name not in expected and "-" in name]
        for table, name in ((BRIDGE, "guarded"), (BRIDGE, "silenced"), (INET, "bridges")):
            known = wanted.elements.get((table, name), {})
            found += [f"nft {name} {one}" for one in device_elements(table, name) if f'"{one}"' not in known]
        return sorted(found)

    def stop(self, remove: bool) -> None:
        """With `remove` take the rules away; without, they stay and protect the guests that go on."""
        if remove:
            _nft("".join(f"table {table} {{}}\ndelete table {table}\n" for table in (BRIDGE, INET)))
        self._in_force = None

    def covers(self, port: Port) -> bool:
        """Whether the rules that were put into force last know the port, or it needs none."""
        return port.id in self._policy.ports or (port.admin_state_up and not port.port_security)

    def _zone_of(self, network_id: str) -> int:
        return self._zones(bridge_name(network_id))

    def _install(self, wanted: Ruleset) -> None:
        generation = self._ruleset_generation()
        if self._in_force is not None and generation == self._generation:
            text = difference(self._in_force, wanted)
            if not text:
                return
        else:
            text = base_text(self._settings) + difference(Ruleset(), wanted)
        self._in_force = None  # until the kernel has said yes: a failure is followed by a full replacement
        _nft(text)
        self._in_force, self._generation = wanted, generation + 1

    def _ruleset_generation(self) -> int:
        with Conntrack() as conntrack:
            return conntrack.ruleset_generation()

    def _hook_bridges(self) -> None:
        if not Path("/proc/sys", _HOOKS[0]).exists() and shutil.which("modprobe"):
            try:
                run_in(None, ["modprobe", "br_netfilter"])
            except ProgramFailed as error:
                raise FirewallUnavailable(f"the kernel has no br_netfilter: {error}") from error
        try:
            for key in _HOOKS:
                set_sysctl(None, key, "1")
        except OSError as error:
            raise FirewallUnavailable(f"bridged packets can not be filtered: {error}") from error
