"""A server's NUMA topology as the API shows it (Compute API, Servers topology)."""

from pileus.compute.topology.guest import GuestCell, GuestHardware
from pileus.kernel.http.call import Json


def topology(hardware: GuestHardware | None, threads: int, *, with_host: bool) -> Json:
    """`threads` of each of the guest's cores. `pagesize_kb` is null where nobody chose a size."""
    cells = hardware.cells if hardware else ()
    return {
        "nodes": [node(cell, threads) | (on_host(cell) if with_host else {}) for cell in cells],
        "pagesize_kb": hardware.page_kb if hardware else None,
    }


def node(cell: GuestCell, threads: int) -> Json:
    return {"memory_mb": cell.memory_mb, "siblings": siblings(cell, threads), "vcpu_set": list(cell.vcpus)}


def on_host(cell: GuestCell) -> Json:
    return {"host_node": cell.host_cell, "cpu_pinning": {str(vcpu): cpu for vcpu, cpu in cell.pins}}


def siblings(cell: GuestCell, threads: int) -> list[list[int]]:
    """The cell's virtual CPUs by core; nothing where each is a core of its own."""
    cores: dict[int, list[int]] = {}
    for vcpu in cell.vcpus:
        cores.setdefault(vcpu // threads, []).append(vcpu)
    return list(cores.values()) if threads > 1 else []
