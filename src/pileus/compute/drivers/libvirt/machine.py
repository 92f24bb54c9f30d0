"""The host's NUMA cells and PCI devices, as libvirt tells them. Formats: https://libvirt.org/formatcaps.html, formatnode.html"""

from pathlib import Path
from xml.etree.ElementTree import Element

import libvirt
import msgspec
from defusedxml.ElementTree import fromstring

from pileus.compute.topology import cpusets
from pileus.compute.topology.hardware import SMALL_KB, Cell, Device, DeviceType, Hardware, Pages

MOUNTS, HUGE_PAGES = Path("/proc/mounts"), Path("/sys/kernel/mm/hugepages")
ADDRESS = ("domain", "bus", "slot", "function")


def hardware(connection: libvirt.virConnect, *, devices: bool) -> Hardware:
    """`devices`: look for PCI devices as well, which costs a call each."""
    found = Hardware(usable(cells_of(connection.getCapabilities())))
    if not devices:
        return found
    nodes = connection.listAllDevices(libvirt.VIR_CONNECT_LIST_NODE_DEVICES_CAP_PCI_DEV)
    told = (device_of(node.XMLDesc()) for node in nodes)
    return Hardware(found.cells, tuple(sorted((device for device in told if device), key=lambda d: d.address)))


def usable(cells: tuple[Cell, ...], mounts: Path = MOUNTS) -> tuple[Cell, ...]:
    """Pages that no filesystem gives out are nobody's memory."""
    if _gives_pages(mounts):
        return cells
    return tuple(
        msgspec.structs.replace(cell, memory_mb=cell.pages_mb(SMALL_KB), pages=()) if cell.pages else cell
        for cell in cells
    )


def notes(
    offered: Hardware, groups: Path = Path("/sys/kernel/iommu_groups"), pages: Path = HUGE_PAGES, mounts: Path = MOUNTS
) -> tuple[str, ...]:
    """What keeps devices and pages from guests."""
    found = []
    if offered.devices and not (groups.is_dir() and any(groups.iterdir())):
        found.append("PCI devices are offered, but this host has no IOMMU in use: guests with one will not start")
    reserved = any(file.read_text().strip() != "0" for file in pages.glob("*/nr_hugepages"))
    if reserved and not _gives_pages(mounts):
        found.append("huge pages are reserved, but no hugetlbfs is mounted (as on /dev/hugepages): guests get none")
    return tuple(found)


def _gives_pages(mounts: Path) -> bool:
    return any(line.split()[2:3] == ["hugetlbfs"] for line in mounts.read_text().splitlines())


def cells_of(capabilities: str) -> tuple[Cell, ...]:
    """Empty where libvirt knows no topology."""
    return tuple(_cell(cell) for cell in fromstring(capabilities).iterfind("host/topology/cells/cell"))


def _cell(cell: Element) -> Cell:
    cpus = cell.findall("cpus/cpu")
    cores = {tuple(sorted(cpusets.parse(cpu.get("siblings") or str(cpu.get("id"))))) for cpu in cpus}
    pages = [Pages(int(page.get("size", "0")), int(page.text or 0)) for page in cell.findall("pages")]
    sockets = {int(number) for cpu in cpus if (number := cpu.get("socket_id")) is not None}
    return Cell(
        id=int(cell.get("id", "0")),
        cores=tuple(sorted(cores)),
        memory_mb=int(cell.findtext("memory") or 0) // 1024,
        pages=tuple(pool for pool in pages if pool.size_kb != SMALL_KB),
        socket=min(sockets, default=None),
    )


def device_of(described: str) -> Device | None:
    """None for what has no address, as a device that is just being taken out."""
    capability = fromstring(described).find("capability[@type='pci']")
    if capability is None:
        return None
    parts = [capability.findtext(name) for name in ADDRESS]
    product, vendor = capability.find("product"), capability.find("vendor")
    if None in parts or product is None or vendor is None:
        return None
    functions = {part.get("type"): part for part in capability.findall("capability")}
    kind: DeviceType = "type-PCI"
    parent = functions["phys_function"].find("address") if "phys_function" in functions else None
    if parent is not None:
        kind = "type-VF"
    elif "virt_functions" in functions:
        kind = "type-PF"
    node = capability.find("numa")
    return Device(
        address=_address([int(part or "0", 0) for part in parts]),
        vendor_id=vendor.get("id", "").removeprefix("0x"),
        product_id=product.get("id", "").removeprefix("0x"),
        type=kind,
        numa_node=int(node.get("node", "0")) if node is not None else None,
        parent=None if parent is None else _address([int(parent.get(name, "0"), 0) for name in ADDRESS]),
    )


def _address(parts: list[int]) -> str:
    domain, bus, slot, function = parts
    return f"{domain:04x}:{bus:02x}:{slot:02x}.{function:x}"
