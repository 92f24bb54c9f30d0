"""From a snapshot to the rules of the host: pure, so that what is in force can be read and tested without a kernel."""

import hashlib
import ipaddress
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from pileus.network.agent.firewall.match import Address, BadRule, IpNetwork, Match, match_of, members_set
from pileus.network.agent.firewall.ruleset import Ruleset
from pileus.network.agent.firewall.sources import BadSource, Source, collapse, sources_of
from pileus.network.agent.firewall.tables import BRIDGE, INET, RECEIVER, SENDER
from pileus.network.agent.names import BadId, bridge_name, checked_id, tap_name
from pileus.network.agent.snapshot import Port, SecurityGroup, Snapshot

Numbers = Callable[[str], int]
"""The number of a port or network id: the same for as long as the id is wanted, never that of another."""


@dataclass(frozen=True)
class Group:
    id: str
    stateful: bool
    matches: tuple[Match, ...]


@dataclass(frozen=True)
class GuardedPort:
    """A port whose packets are checked. Groups that are not in the snapshot allow nothing."""

    id: str
    network_id: str
    sources: frozenset[Source]
    groups: tuple[Group, ...]

    @property
    def stateful(self) -> bool:
        return all(group.stateful for group in self.groups)


@dataclass(frozen=True)
class Policy:
    """What the rules say, before it is nft text. `faults`: why an id is not, or not wholly, in force."""

    ports: dict[str, GuardedPort] = field(default_factory=dict)
    silenced: frozenset[str] = frozenset()
    groups: dict[str, Group] = field(default_factory=dict)
    members: dict[str, tuple[IpNetwork, ...]] = field(default_factory=dict)
    networks: tuple[str, ...] = ()
    faults: dict[str, str] = field(default_factory=dict)

    def is_member(self, group_id: str, address: Address) -> bool:
        return any(address in network for network in self.members.get(group_id, ()))


def policy_of(snapshot: Snapshot) -> Policy:
    """Check a snapshot item by item. A bad rule is left out, a port with a bad address stays closed; both are faults."""
    faults: dict[str, str] = {}
    groups = {group.id: _group(group, faults) for group in snapshot.security_groups if _good_id(group.id, faults)}
    members = {group.id: _members(group, faults) for group in snapshot.security_groups if group.id in groups}
    ports, silenced = {}, set()
    for port in snapshot.ports:
        if not _good_id(port.id, faults) or not _good_id(port.network_id, faults):
            continue
        if not port.admin_state_up:
            silenced.add(port.id)
        if port.port_security:
            ports[port.id] = _guarded(port, groups, faults)
    networks = tuple(network.id for network in snapshot.networks if _good_id(network.id, faults))
    return Policy(ports, frozenset(silenced), groups, members, networks, faults)


def _good_id(value: str, faults: dict[str, str]) -> bool:
    try:
        checked_id(value)
    except BadId as error:
        faults[value] = str(error)
        return False
    return True


def _group(group: SecurityGroup, faults: dict[str, str]) -> Group:
    matches: dict[Match, None] = {}
    for rule in group.rules:
        try:
            matches[match_of(rule)] = None
        except (BadRule, BadId) as error:
            faults[group.id] = f"rule left out: {error}"
    return Group(group.id, group.stateful, tuple(matches))


def _members(group: SecurityGroup, faults: dict[str, str]) -> tuple[IpNetwork, ...]:
    networks: list[IpNetwork] = []
    for member in group.members:
        try:
            networks.append(ipaddress.ip_network(member, strict=False))
        except ValueError as error:
            faults[group.id] = f"member left out: {error}"
    return tuple(collapse(networks))


def _guarded(port: Port, groups: dict[str, Group], faults: dict[str, str]) -> GuardedPort:
    try:
        sources = sources_of(port)
    except BadSource as error:
        faults[port.id] = f"closed, because of a bad address: {error}"
        return GuardedPort(port.id, port.network_id, frozenset(), ())
    mine = tuple(groups[name] for name in sorted(port.security_groups) if name in groups)
    return GuardedPort(port.id, port.network_id, sources, mine)


def ruleset_of(policy: Policy, marks: Numbers, zones: Numbers) -> Ruleset:
    """The rules as nft data."""
    rules = Ruleset()
    for network_id in policy.networks:
        name = f'"{bridge_name(network_id)}"'
        rules.put(INET, "bridges", name)
        rules.put(INET, "zones", name, str(zones(network_id)))
    for port_id in policy.silenced:
        rules.put(BRIDGE, "silenced", f'"{tap_name(port_id)}"')
    used: dict[str, Group] = {}
    for port in policy.ports.values():
        _put_port(rules, port, marks(port.id))
        used |= {group.id: group for group in port.groups}
    for group in used.values():
        for inbound in (True, False):
            lines = (f"{match.text()} accept" for match in group.matches if match.inbound == inbound)
            rules.chains[INET, _chain([group.id], inbound)] = tuple(lines)
    for group_id in {match.group for group in used.values() for match in group.matches if match.group is not None}:
        _put_members(rules, group_id, policy.members.get(group_id, ()))
    return rules


def _put_port(rules: Ruleset, port: GuardedPort, number: int) -> None:
    tap = f'"{tap_name(port.id)}"'
    rules.put(BRIDGE, "guarded", tap)
    for source in port.sources:
        network = source.network
        entry = f"{tap} . {source.mac} . "
        rules.put(BRIDGE, "macs", f"{tap} . {source.mac}")
        rules.put(BRIDGE, f"ipv{network.version}_sources", entry + _range(network))
        if network.version == 6:
            low, high = int(network.network_address), int(network.broadcast_address)
            rules.put(BRIDGE, "ipv6_targets", entry + (f"{low:#x}" if low == high else f"{low:#x}-{high:#x}"))
    for side, inbound, base in (("senders", False, SENDER), ("receivers", True, RECEIVER)):
        mark = f"{base | number:#x}"
        rules.put(BRIDGE, side, tap, mark)
        if not port.stateful:
            rules.put(INET, "stateless", mark)
        if port.groups:
            ids = [group.id for group in port.groups]
            name = _chain(ids, inbound)
            if len(ids) > 1:
                rules.chains[INET, name] = tuple(f"jump {_chain([one], inbound)}" for one in ids)
            rules.put(INET, "ingress" if inbound else "egress", mark, f"jump {name}")


def _range(network: IpNetwork) -> str:
    if network.prefixlen == network.max_prefixlen:
        return str(network.network_address)
    return f"{network.network_address}-{network.broadcast_address}"


def _chain(group_ids: list[str], inbound: bool) -> str:
    """One group's rules, or the chain that asks several groups in turn."""
    side = "in" if inbound else "out"
    if len(group_ids) == 1:
        return f"{side}-{group_ids[0]}"
    return f"{side}-each-{hashlib.sha256(' '.join(group_ids).encode()).hexdigest()[:24]}"


def _put_members(rules: Ruleset, group_id: str, members: Iterable[IpNetwork]) -> None:
    for version in (4, 6):
        name = (INET, members_set(group_id, version))
        rules.declared[name] = f"type ipv{version}_addr; flags interval;"
        rules.elements[name] = {_range(network): None for network in members if network.version == version}
