"""What a host has below its totals: NUMA cells with CPUs, threads and pages, and PCI devices that may be passed through."""

import re
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from pileus.compute.topology import cpusets

SMALL_KB = 4  # the page that all memory has which is not set aside for larger ones
DeviceType = Literal["type-PCI", "type-PF", "type-VF"]
AddressPart = Literal["domain", "bus", "slot", "function"]
Affinity = Literal["required", "legacy", "preferred", "socket"]
Identifier = Annotated[str, Meta(pattern="^[0-9a-fA-F]{4}$", description="four hexadecimal digits")]
ADDRESS_PARTS: tuple[AddressPart, ...] = ("domain", "bus", "slot", "function")
ADDRESS = re.compile(r"([0-9a-f]{4}):([0-9a-f]{2}):([01][0-9a-f])\.([0-7])")


class Pages(msgspec.Struct, frozen=True):
    """How many pages of one size a cell has; `size_kb` is KiB."""

    size_kb: int
    total: int


class Cell(msgspec.Struct, frozen=True):
    """One NUMA cell. `cores` are its CPUs by the core that they are threads of; `pages` those larger than the usual ones."""

    id: int
    cores: tuple[tuple[int, ...], ...]
    memory_mb: int
    pages: tuple[Pages, ...] = ()
    socket: int | None = None

    @property
    def cpus(self) -> frozenset[int]:
        return frozenset(cpu for core in self.cores for cpu in core)

    def pages_mb(self, size_kb: int) -> int:
        """MiB that there are in pages of a size; of the usual size what the larger ones leave."""
        if size_kb == SMALL_KB:
            return self.memory_mb - sum(pool.size_kb * pool.total for pool in self.pages) // 1024
        return sum(pool.size_kb * pool.total // 1024 for pool in self.pages if pool.size_kb == size_kb)


class Device(msgspec.Struct, frozen=True):
    """A PCI device by its address (`0000:41:00.0`). `parent`: a virtual function's physical one."""

    address: str
    vendor_id: str
    product_id: str
    type: DeviceType = "type-PCI"
    numa_node: int | None = None
    parent: str | None = None


class Hardware(msgspec.Struct, frozen=True):
    """`dedicated` CPUs are for guests that get theirs alone, `shared` ones for all others."""

    cells: tuple[Cell, ...] = ()
    devices: tuple[Device, ...] = ()
    dedicated: tuple[int, ...] = ()
    shared: tuple[int, ...] = ()

    @property
    def cpus(self) -> frozenset[int]:
        return frozenset(cpu for cell in self.cells for cpu in cell.cpus)

    @property
    def threads(self) -> bool:
        """Has any core more than one thread (SMT)?"""
        return any(len(core) > 1 for cell in self.cells for core in cell.cores)


class DeviceSpec(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Devices that an operator offers: all that is given must match. `address`: a text with `*`, or an expression for each part."""

    vendor_id: Identifier | None = None
    product_id: Identifier | None = None
    address: str | dict[AddressPart, str] | None = None

    def __post_init__(self) -> None:
        for expression in self.address.values() if isinstance(self.address, dict) else ():
            try:
                re.compile(expression)
            except re.error as error:
                raise ValueError(f"{expression!r} in an address is no regular expression: {error}") from None

    def matches(self, device: Device) -> bool:
        if self.vendor_id is not None and self.vendor_id.lower() != device.vendor_id.lower():
            return False
        if self.product_id is not None and self.product_id.lower() != device.product_id.lower():
            return False
        if isinstance(self.address, str):
            pattern = self.address.lower()
            return fnmatchcase(device.address, pattern if pattern.count(":") == 2 else f"0000:{pattern}")
        return self.address is None or _parts_match(self.address, device.address)


def _parts_match(wanted: Mapping[AddressPart, str], address: str) -> bool:
    found = ADDRESS.fullmatch(address)
    if found is None:
        return False
    parts = dict(zip(ADDRESS_PARTS, found.groups(), strict=True))
    return all(re.fullmatch(expression, parts[name], re.IGNORECASE) for name, expression in wanted.items())


def offered(
    found: Hardware, dedicated: str, shared: str, specs: Sequence[DeviceSpec]
) -> tuple[Hardware, tuple[str, ...]]:
    """What of the hardware found an operator gives to guests, and notes on what was named but is not there.

    Without any set every CPU is shared; with dedicated CPUs alone none is (Compute's admin guide, CPU topologies).
    """
    own, common = cpusets.parse(dedicated), cpusets.parse(shared)
    here = found.cpus
    notes = tuple(
        f"{name} names CPUs that this host does not have: {cpusets.text(cpus - here)}"
        for name, cpus in (("cpu_dedicated_set", own), ("cpu_shared_set", common))
        if here and cpus - here
    )
    if not own and not common:
        common = here
    devices = tuple(
        device
        for device in found.devices
        if ADDRESS.fullmatch(device.address) and any(spec.matches(device) for spec in specs)
    )
    return (
        Hardware(found.cells, devices, tuple(sorted(own & here)), tuple(sorted(common & here))),
        notes,
    )
