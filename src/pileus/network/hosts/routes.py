"""Network hosts as the agents that clients know: each host shows one of each kind it stands for."""

import uuid
from typing import NamedTuple

from sqlalchemy import select

from pileus.kernel import clock
from pileus.kernel.http.call import Call, Json
from pileus.kernel.http.listing import boolean
from pileus.kernel.http.routes import Route
from pileus.kernel.http.schema import UNSET, Shape, Unset
from pileus.network import pokes
from pileus.network.errors import invalid, not_found
from pileus.network.hosts import services
from pileus.network.hosts.models import NetworkHost
from pileus.network.networks.views import ZONE
from pileus.network.policy import ADMIN, rules
from pileus.network.ports.models import DHCP, SERVICE, Port
from pileus.network.rest.bodies import text
from pileus.network.routers.models import Router
from pileus.network.settings import settings_of


class Kind(NamedTuple):
    """An agent as upstream names it."""

    agent_type: str
    binary: str
    topic: str


L2 = {
    "linuxbridge": Kind("Linux bridge agent", "neutron-linuxbridge-agent", "N/A"),
    "fake": Kind("Fake agent", "pileus-fake-agent", "N/A"),
}
SERVING = (
    Kind("DHCP agent", "neutron-dhcp-agent", "dhcp_agent"),
    Kind("L3 agent", "neutron-l3-agent", "l3_agent"),
    Kind("Metadata agent", "neutron-metadata-agent", "N/A"),
)


class Agent(NamedTuple):
    id: str
    kind: Kind
    row: NetworkHost

    def policy_target(self) -> dict[str, object]:
        return {}


class Changes(Shape):
    admin_state_up: bool | Unset = UNSET
    description: str | Unset = UNSET


class UpdateBody(Shape):
    agent: Changes


def agents(call: Call) -> list[Agent]:
    out = []
    for row in call.db.scalars(select(NetworkHost).order_by(NetworkHost.host)):
        for kind in (L2.get(row.mechanism, Kind(f"{row.mechanism} agent", row.mechanism, "N/A")), *SERVING):
            out.append(Agent(str(uuid.uuid5(uuid.UUID(row.agent_id), kind.agent_type)), kind, row))
    return out


def find(call: Call, agent_id: str) -> Agent:
    found = next((agent for agent in agents(call) if agent.id == agent_id), None)
    if found is None:
        raise not_found("Agent", agent_id)
    return found


def view(call: Call, agent: Agent) -> Json:
    row = agent.row
    return {
        "id": agent.id,
        "agent_type": agent.kind.agent_type,
        "binary": agent.kind.binary,
        "topic": agent.kind.topic,
        "host": row.host,
        "availability_zone": ZONE if agent.kind in SERVING[:2] else None,
        "alive": row.last_seen > clock.after(-settings_of(call.db).host_down_after),
        "admin_state_up": row.admin_state_up,
        "description": row.description,
        "created_at": row.created_at.strftime("%Y-%m-%d %H:%M:%S"),
        "started_at": row.started_at.strftime("%Y-%m-%d %H:%M:%S"),
        "heartbeat_timestamp": row.last_seen.strftime("%Y-%m-%d %H:%M:%S"),
        "resources_synced": None,
        "configurations": {
            "tunneling_ip": row.tunnel_ip,
            "physical_networks": row.physical_networks,
            "notes": row.notes,
            "faults": row.faults,
        },
    }


WORDS = ("id", "agent_type", "binary", "topic", "host", "availability_zone")
FLAGS = ("alive", "admin_state_up")


def index(call: Call) -> Json:
    """Who may not see agents sees none, as upstream's lists do."""
    shown = [view(call, agent) for agent in agents(call)] if call.allows("get_agent") else []
    fields = {value for name, value in call.query if name == "fields"}
    for name, value in call.query:
        if name in WORDS:
            shown = [one for one in shown if one[name] == value]
        elif name in FLAGS:
            shown = [one for one in shown if one[name] is boolean(value)]
        elif name not in ("fields", "limit", "marker", "sort_key", "sort_dir", "page_reverse"):
            raise invalid(f"'{name}' is not an attribute to filter agents by.")
    return {"agents": [{k: v for k, v in one.items() if not fields or k in fields} for one in shown]}


def show(call: Call, agent: Agent) -> Json:
    return {"agent": view(call, agent)}


def update(call: Call, agent: Agent, body: UpdateBody) -> Json:
    """Administratively down hosts keep what they serve but get nothing new."""
    if isinstance(body.agent.admin_state_up, bool):
        agent.row.admin_state_up = body.agent.admin_state_up
    if isinstance(body.agent.description, str):
        agent.row.description = text("description", body.agent.description)
    call.db.flush()
    services.ensure_services(call.db)
    return {"agent": view(call, agent)}


def destroy(call: Call, agent: Agent) -> None:
    """The host is forgotten; one that is alive registers again."""
    call.db.delete(agent.row)
    call.db.flush()
    services.ensure_services(call.db)
    pokes.hosts(call, [agent.row.host])


def of_network(call: Call, network_id: str) -> Json:
    query = select(Port.host).where(Port.network_id == network_id, Port.device_owner == DHCP, Port.made_by == SERVICE)
    return _serving(call, "DHCP agent", set(call.db.scalars(query)))


def of_router(call: Call, router_id: str) -> Json:
    return _serving(call, "L3 agent", set(call.db.scalars(select(Router.host).where(Router.id == router_id))))


def _serving(call: Call, agent_type: str, hosts: set[str]) -> Json:
    found = [agent for agent in agents(call) if agent.kind.agent_type == agent_type and agent.row.host in hosts]
    return {"agents": [view(call, agent) for agent in found]}


ONE = "/v2.0/agents/{agent_id}"
ROUTES = (
    Route("GET", "/v2.0/agents", index, "anyone"),
    Route("GET", ONE, show, "get_agent", load=find),
    Route("PUT", ONE, update, "update_agent", load=find),
    Route("DELETE", ONE, destroy, "delete_agent", load=find, status=204),
    Route("GET", "/v2.0/networks/{network_id}/dhcp-agents", of_network, "get_dhcp-agents"),
    Route("GET", "/v2.0/routers/{router_id}/l3-agents", of_router, "get_l3-agents"),
)
RULES = rules(
    dict.fromkeys(("get_agent", "update_agent", "delete_agent", "get_dhcp-agents", "get_l3-agents"), ADMIN),
    "Agents",
)
