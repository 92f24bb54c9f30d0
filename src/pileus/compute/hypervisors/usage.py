"""What hosts have and use, from placement and from the servers: four queries, whatever the number of hosts."""

from typing import NamedTuple

from sqlalchemy import Integer, case, cast, func, or_, select
from sqlalchemy.orm import Session

from pileus.compute.guests.models import Guest
from pileus.compute.hosts.models import Host
from pileus.compute.servers.models import Server
from pileus.placement import internal as placement


class Usage(NamedTuple):
    """Memory MiB, disk GiB. `memory_used` has what is kept for the host; `busy` servers have a task going on."""

    vcpus_used: int = 0
    memory_used: int = 0
    disk_used: int = 0
    servers: int = 0
    busy: int = 0


def of_hosts(db: Session) -> dict[str, Usage]:
    """By host id."""
    behind = or_(Guest.server_id.is_(None), Guest.generation < Server.generation)
    counts = db.execute(
        select(Server.host_id, func.count(), cast(func.sum(case((behind, 1), else_=0)), Integer))
        .outerjoin(Guest, Guest.server_id == Server.id)
        .where(Server.host_id.is_not(None))
        .group_by(Server.host_id)
    )
    servers = {host_id: (int(count), int(busy or 0)) for host_id, count, busy in counts}
    found = {}
    for provider_id, supply in placement.supplies(db).items():
        held = {name: (stock.used, stock.reserved) for name, stock in supply.stock.items()}
        count, busy = servers.get(provider_id, (0, 0))
        found[provider_id] = Usage(
            sum(held.get(name, (0, 0))[0] for name in ("VCPU", "PCPU")),
            sum(held.get("MEMORY_MB", (0, 0))),
            sum(held.get("DISK_GB", (0, 0))),
            count,
            busy,
        )
    return found


NAMES = (
    "vcpus",
    "memory_mb",
    "local_gb",
    "vcpus_used",
    "memory_mb_used",
    "local_gb_used",
    "free_ram_mb",
    "free_disk_gb",
    "current_workload",
    "running_vms",
    "disk_available_least",
)


def numbers(host: Host, used: Usage) -> dict[str, int]:
    """By the API's names."""
    memory, disk = host.memory_mb - used.memory_used, host.disk_gb - used.disk_used
    whole = (host.vcpus, host.memory_mb, host.disk_gb)
    values = (*whole, used.vcpus_used, used.memory_used, used.disk_used, memory, disk, used.busy, used.servers, disk)
    return dict(zip(NAMES, values, strict=True))
