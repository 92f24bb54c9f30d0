"""A guest's part of its host in its description: CPUs, cells, pages, devices. Format: https://libvirt.org/formatdomain.html"""

from xml.etree.ElementTree import Element, SubElement

from pileus.compute.topology import cpusets
from pileus.compute.topology.guest import CpuLayout, GuestHardware
from pileus.compute.topology.hardware import ADDRESS, ADDRESS_PARTS, SMALL_KB


def add_layout(cpu: Element, vcpus: int, layout: CpuLayout | None) -> None:
    sockets, cores, threads = (layout.sockets, layout.cores, layout.threads) if layout else (vcpus, 1, 1)
    SubElement(cpu, "topology", sockets=str(sockets), dies="1", cores=str(cores), threads=str(threads))


def add_cells(cpu: Element, hardware: GuestHardware | None) -> None:
    """What the guest sees: its own NUMA cells."""
    if hardware is None or not hardware.cells:
        return
    numa = SubElement(cpu, "numa")
    for number, cell in enumerate(hardware.cells):
        cpus, memory = cpusets.text(cell.vcpus), str(cell.memory_mb)
        SubElement(numa, "cell", id=str(number), cpus=cpus, memory=memory, unit="MiB")


def add_tuning(domain: Element, hardware: GuestHardware | None) -> None:
    """What the host gives: CPUs for each virtual one, memory of the cells, pages."""
    if hardware is None or not hardware.cells:
        return
    tune = SubElement(domain, "cputune")
    places = {
        vcpu: str(dict(cell.pins).get(vcpu, cpusets.text(cell.shared)))
        for cell in hardware.cells
        for vcpu in cell.vcpus
    }
    for vcpu, cpus in sorted(places.items()):
        SubElement(tune, "vcpupin", vcpu=str(vcpu), cpuset=cpus)
    SubElement(tune, "emulatorpin", cpuset=cpusets.text(hardware.emulator))
    numa = SubElement(domain, "numatune")
    SubElement(numa, "memory", mode="strict", nodeset=cpusets.text(cell.host_cell for cell in hardware.cells))
    for number, cell in enumerate(hardware.cells):
        SubElement(numa, "memnode", cellid=str(number), mode="strict", nodeset=str(cell.host_cell))
    if hardware.page_kb is not None and hardware.page_kb > SMALL_KB:
        pages = SubElement(SubElement(domain, "memoryBacking"), "hugepages")
        nodes = cpusets.text(range(len(hardware.cells)))
        SubElement(pages, "page", size=str(hardware.page_kb), unit="KiB", nodeset=nodes)


def add_passthrough(devices: Element, hardware: GuestHardware | None) -> None:
    """PCI devices; libvirt takes each from its driver and gives it back."""
    for address in hardware.devices if hardware else ():
        found = ADDRESS.fullmatch(address)
        if found is None:
            raise ValueError(f"{address!r} is no PCI address")
        parts = {name: f"0x{part}" for name, part in zip(ADDRESS_PARTS, found.groups(), strict=True)}
        device = SubElement(devices, "hostdev", mode="subsystem", type="pci", managed="yes")
        SubElement(SubElement(device, "source"), "address", {str(name): part for name, part in parts.items()})
