"""Hypervisors as the API shows them, by microversion."""

from collections.abc import Sequence

import msgspec
from sqlalchemy import select

from pileus.compute.hosts.models import Host
from pileus.compute.hypervisors.usage import Usage, numbers
from pileus.compute.servers.models import Server
from pileus.compute.services.queries import number
from pileus.kernel.http.call import Call, Json


def shown_id(call: Call, host: Host) -> str | int:
    return host.id if call.at_least(2, 53) else number(host.id)


def brief(call: Call, host: Host) -> Json:
    return {
        "id": shown_id(call, host),
        "hypervisor_hostname": host.name,
        "state": "up" if host.up else "down",
        "status": "disabled" if host.disabled else "enabled",
    }


def detail(call: Call, host: Host, used: Usage) -> Json:
    shown = brief(call, host) | {
        "host_ip": host.address,
        "hypervisor_type": host.hypervisor_type,
        "hypervisor_version": host.hypervisor_version,
        "service": {"id": shown_id(call, host), "host": host.name, "disabled_reason": host.disabled_reason},
    }
    if call.at_least(2, 88):
        return shown | {"uptime": host.uptime if host.up else None}
    cpu: object = host.cpu_info if call.at_least(2, 28) else msgspec.json.encode(host.cpu_info).decode()
    return shown | numbers(host, used) | {"cpu_info": cpu}


def with_servers(call: Call, hosts: Sequence[Host], shown: list[Json], *, always: bool) -> list[Json]:
    """Adds each host's servers, with one query. Without `always` a host that has none gets no key."""
    query = select(Server.host, Server.id).where(Server.host.in_([host.name for host in hosts]))
    held: dict[str | None, list[Json]] = {}
    for name, server_id in call.db.execute(query.order_by(Server.created_at)):
        held.setdefault(name, []).append({"uuid": server_id, "name": f"instance-{server_id}"})
    for host, item in zip(hosts, shown, strict=True):
        if always or host.name in held:
            item["servers"] = held.get(host.name, [])
    return shown
