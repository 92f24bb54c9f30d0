"""Connections that outlived what allowed them: which are to be cut off, which to be let through again, which to be forgotten.

The rules ask only the first packet of a connection, so a rule that goes away must reach the connections it let in. They
are marked and not deleted: the next packet of a deleted one, sent by the guest itself, would count as a new connection.
"""

from collections.abc import Callable
from typing import NamedTuple

from pileus.network.agent.firewall.conntrack import Connection, Conntrack
from pileus.network.agent.firewall.match import Address
from pileus.network.agent.firewall.policy import GuardedPort, Policy
from pileus.network.agent.firewall.sources import followed
from pileus.network.agent.firewall.tables import REVOKED

Owners = dict[tuple[int, Address], GuardedPort]
"""(conntrack zone, address) -> the port that has the address."""


class Sweep(NamedTuple):
    revoked: int
    restored: int
    forgotten: int


def owners_of(policy: Policy, zone_of: Callable[[str], int]) -> Owners:
    """Who has which address."""
    owners: Owners = {}
    for port in policy.ports.values():
        zone = zone_of(port.network_id)
        for address in followed(port.sources):
            owners[zone, address] = port
    return owners


def allowed(connection: Connection, owners: Owners, policy: Policy) -> bool:
    """Whether today's rules would let the connection begin, as far as this host's ports have a say."""
    flow, zone = connection.flow, connection.zone
    for address, inbound in ((flow.source, False), (flow.destination, True)):
        port = owners.get((zone, address))
        if port is None or not port.stateful:
            continue
        matches = (match for group in port.groups for match in group.matches if match.inbound == inbound)
        if not any(match.allows(flow, policy.is_member) for match in matches):
            return False
    return True


def sweep(before: Owners, owners: Owners, policy: Policy, zones: range, used: set[int]) -> Sweep:
    """Bring all connections in line with the policy. `before` are the owners at the last sweep, `used` the zones in use."""
    left = {key for key, port in before.items() if key not in owners or owners[key].id != port.id}
    revoked = restored = forgotten = 0
    with Conntrack() as conntrack:
        for connection in list(conntrack.connections(zones)):
            flow, zone = connection.flow, connection.zone
            if zone not in used or (zone, flow.source) in left or (zone, flow.destination) in left:
                conntrack.drop(connection)
                forgotten += 1
                continue
            wanted = 0 if allowed(connection, owners, policy) else REVOKED
            if connection.mark != wanted:
                conntrack.mark(connection, wanted)
                revoked, restored = revoked + wanted, restored + 1 - wanted
    return Sweep(revoked, restored, forgotten)
