"""What one guest has of its host's hardware: made by a claim, kept with it, turned into the guest's description by its driver."""

import msgspec


class CpuLayout(msgspec.Struct, frozen=True):
    """How a guest sees its virtual CPUs: their product is the number of them."""

    sockets: int
    cores: int = 1
    threads: int = 1


class GuestCell(msgspec.Struct, frozen=True):
    """A NUMA cell of the guest on the cell `host_cell` of its host. `pins`: virtual CPU and the host CPU that it has alone;
    its other virtual CPUs float over the host's CPUs `shared`."""

    vcpus: tuple[int, ...]
    memory_mb: int
    host_cell: int
    pins: tuple[tuple[int, int], ...] = ()
    shared: tuple[int, ...] = ()


class GuestHardware(msgspec.Struct, frozen=True):
    """No cells: the guest floats over its host. `page_kb` None: pages as they come. `emulator`: host CPUs for QEMU's own threads."""

    cells: tuple[GuestCell, ...] = ()
    page_kb: int | None = None
    emulator: tuple[int, ...] = ()
    extra_cpus: tuple[int, ...] = ()  # host CPUs it has alone besides its pins
    devices: tuple[str, ...] = ()  # PCI addresses

    def cpus(self) -> tuple[int, ...]:
        """Every host CPU that it has alone."""
        return (*(cpu for cell in self.cells for _, cpu in cell.pins), *self.extra_cpus)
