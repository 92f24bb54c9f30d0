"""Security groups of a server, in compute's older form (Compute API, Servers security groups)."""

from pileus.compute.servers.actions import refuse_locked
from pileus.compute.servers.models import Server
from pileus.compute.servers.schemas import SecurityGroupAction
from pileus.kernel.bus.base import agent_topic
from pileus.kernel.http.call import Call, Json
from pileus.network import internal as network
from pileus.network.internal import GroupFacts, RuleFacts


def index(call: Call, server: Server) -> Json:
    return {"security_groups": [view(group) for group in network.security_groups(call.db, server.id)]}


def view(group: GroupFacts) -> Json:
    """Only what comes in is shown: that form knows no other rules."""
    names = {group.id: group.name}
    return {
        "id": group.id,
        "name": group.name,
        "description": group.description,
        "tenant_id": group.project_id,
        "rules": [rule_view(group, rule, names) for rule in group.rules if rule.direction == "ingress"],
    }


def rule_view(group: GroupFacts, rule: RuleFacts, names: dict[str, str]) -> Json:
    remote: Json = {}
    if rule.remote_group is not None:
        remote = {"name": names.get(rule.remote_group, rule.remote_group), "tenant_id": group.project_id}
    everything = rule.remote_cidr is None and rule.remote_group is None
    return {
        "id": rule.id,
        "parent_group_id": group.id,
        "ip_protocol": rule.protocol,
        "from_port": rule.port_min,
        "to_port": rule.port_max,
        "ip_range": {"cidr": "0.0.0.0/0"} if everything else ({"cidr": rule.remote_cidr} if rule.remote_cidr else {}),
        "group": remote,
    }


def add(call: Call, server: Server, body: SecurityGroupAction) -> None:
    _change(call, server, body.name, add=True)


def remove(call: Call, server: Server, body: SecurityGroupAction) -> None:
    _change(call, server, body.name, add=False)


def _change(call: Call, server: Server, group: str, *, add: bool) -> None:
    refuse_locked(call, server)
    network.change_groups(call.db, call.context, server.id, group, add=add)
    for host in network.hosts_of(call.db, server.id):
        call.poke(agent_topic(host), "changed")
