"""Hosts of several shapes, for the tests of this folder."""

from pileus.compute.topology.hardware import Cell, Device, Hardware, Pages


def cell(
    number: int, first: int, cpus: int, *, threads: int = 1, memory_mb: int = 4096, pages: tuple[Pages, ...] = ()
) -> Cell:
    """CPUs from `first` on, neighbours being threads of one core; a socket for each two cells."""
    cores = tuple(tuple(range(cpu, cpu + threads)) for cpu in range(first, first + cpus, threads))
    return Cell(number, cores, memory_mb, pages, number // 2)


def machine(
    cells: int = 2, cpus: int = 4, *, threads: int = 1, shared: int = 0, devices: tuple[Device, ...] = ()
) -> Hardware:
    """Each cell has `cpus`, of which the first `shared` are for everybody and the others dedicated; 512 pages of 2 MiB, 2 of 1 GiB."""
    pages = (Pages(2048, 512), Pages(1048576, 2))
    made = tuple(cell(i, i * cpus, cpus, threads=threads, memory_mb=8192, pages=pages) for i in range(cells))
    common = tuple(i * cpus + n for i in range(cells) for n in range(shared))
    own = tuple(cpu for cpu in range(cells * cpus) if cpu not in common)
    return Hardware(made, devices, own, common)


def card(number: int, node: int | None = 0, *, product: str = "1eb8") -> Device:
    return Device(f"0000:{number:02x}:00.0", "10de", product, numa_node=node)
