"""What is left of a host's hardware, cell by cell."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from pileus.compute.topology.cells import CellWish
from pileus.compute.topology.hardware import SMALL_KB, Cell, Device, Hardware

Cores = tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class Room:
    """`cpus`, `devices`: those that guests have. `memory`: MiB used by cell and page size; `floating`: virtual CPUs by cell.

    The ratios are those of the host's inventory: memory and shared CPUs may be promised more than once, to guests that ask for no
    page size and no CPU of their own.
    """

    hardware: Hardware
    generation: int = 0
    cpus: frozenset[int] = frozenset()
    devices: frozenset[str] = frozenset()
    memory: Mapping[tuple[int, int], int] = field(default_factory=dict)
    floating: Mapping[int, int] = field(default_factory=dict)
    cpu_ratio: float = 1.0
    ram_ratio: float = 1.0

    def dedicated(self, cell: Cell) -> Cores:
        """Free CPUs for one guest alone, by core."""
        return self._dedicated[cell.id]

    @cached_property
    def _dedicated(self) -> dict[int, Cores]:
        free = set(self.hardware.dedicated) - self.cpus
        found = {}
        for cell in self.hardware.cells:
            cores = (tuple(cpu for cpu in core if cpu in free) for core in cell.cores)
            found[cell.id] = tuple(core for core in cores if core)
        return found

    def shared(self, cell: Cell) -> tuple[int, ...]:
        return self._shared[cell.id]

    @cached_property
    def _shared(self) -> dict[int, tuple[int, ...]]:
        common = set(self.hardware.shared)
        return {cell.id: tuple(sorted(cell.cpus & common)) for cell in self.hardware.cells}

    def has_floating(self, cell: Cell, count: int) -> bool:
        """Room for virtual CPUs that float: never more of one guest than there are CPUs."""
        here = len(self.shared(cell))
        return count == 0 or (count <= here and self.floating.get(cell.id, 0) + count <= here * self.cpu_ratio)

    def free_mb(self, cell: Cell, page_kb: int | None) -> int:
        """MiB left in pages of that size; None: in usual ones, which may be promised more than once."""
        size = page_kb or SMALL_KB
        ratio = self.ram_ratio if page_kb is None else 1.0
        return int(cell.pages_mb(size) * ratio) - self.memory.get((cell.id, size), 0)

    def has_memory(self, cell: Cell, wanted: CellWish, page_kb: int | None) -> bool:
        if page_kb is not None and wanted.memory_mb * 1024 % page_kb:
            return False
        return wanted.memory_mb <= min(self.free_mb(cell, page_kb), cell.pages_mb(page_kb or SMALL_KB))

    def free_devices(self) -> list[Device]:
        """Neither taken, nor a virtual function of one that is, nor the physical one of such."""
        every = self.hardware.devices
        parents = {device.parent for device in every if device.address in self.devices}
        shut = self.devices | parents
        return [device for device in every if device.address not in shut and device.parent not in self.devices]
