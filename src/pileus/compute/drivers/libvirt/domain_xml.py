"""A guest's description for libvirt. Format: https://libvirt.org/formatdomain.html"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from xml.etree.ElementTree import Element, SubElement, tostring

from pileus.compute.drivers.base import GuestSpec, NicSpec
from pileus.compute.drivers.libvirt.guest_files import GuestFiles
from pileus.compute.drivers.libvirt.image_properties import choice, flag, machine_type, refuse_unsupported
from pileus.compute.drivers.libvirt.topology_xml import add_cells, add_layout, add_passthrough, add_tuning

NAME_PREFIX = "instance-"
METADATA = "urn:pileus:server:1"
NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
DISK_LETTERS = "abcdefghijklmnopqrstuvwxyz"
TARGET_PREFIX = {"virtio": "vd", "scsi": "sd", "sata": "sd", "usb": "sd", "ide": "hd"}


@dataclass(frozen=True)
class Platform:
    """What this host gives every guest: `virt_type` is kvm or qemu; `cpu_model` one that libvirt knows or host-passthrough.

    `shared_cpus`: those that guests without any of their own run on; empty: all.
    """

    virt_type: str
    cpu_model: str
    machine: str
    shared_cpus: str = ""


def domain_name(server_id: str) -> str:
    return NAME_PREFIX + server_id


def domain_xml(spec: GuestSpec, files: GuestFiles, platform: Platform) -> str:
    """The whole description; raises a permanent GuestFailed for image properties that cannot be honoured."""
    properties = spec.image.properties if spec.image else {}
    refuse_unsupported(properties)
    domain = Element("domain", type=platform.virt_type)
    text(domain, "name", domain_name(spec.server_id))
    text(domain, "uuid", spec.server_id)
    add_metadata(domain, spec)
    text(domain, "memory", str(spec.memory_mb), unit="MiB")
    kept_to = {"cpuset": platform.shared_cpus} if platform.shared_cpus and not has_cells(spec) else {}
    text(domain, "vcpu", str(spec.vcpus), **kept_to)
    add_tuning(domain, spec.hardware)
    add_system(domain, spec, machine_type(properties, platform.machine))
    add_cpu(domain, spec, platform)
    add_clock(domain)
    for event, action in (("on_poweroff", "destroy"), ("on_reboot", "restart"), ("on_crash", "destroy")):
        text(domain, event, action)
    power = SubElement(domain, "pm")  # a guest that put itself to sleep would look like one that was paused
    SubElement(power, "suspend-to-mem", enabled="no")
    SubElement(power, "suspend-to-disk", enabled="no")
    devices = SubElement(domain, "devices")
    text(devices, "emulator", "/usr/bin/qemu-system-x86_64")
    add_disks(devices, spec, files, properties)
    model = choice(properties, "hw_vif_model", "virtio")
    for nic in spec.nics:
        add_nic(devices, nic, model)
    add_passthrough(devices, spec.hardware)
    add_devices(devices, spec, files, properties)
    return tostring(domain, encoding="unicode")


def text(parent: Element, tag: str, content: str, **attributes: str) -> Element:
    child = SubElement(parent, tag, attributes)
    child.text = NOT_XML.sub("", content)
    return child


def add_metadata(domain: Element, spec: GuestSpec) -> None:
    server = SubElement(SubElement(domain, "metadata"), f"{{{METADATA}}}server")
    for tag, content in (("id", spec.server_id), ("name", spec.name), ("project", spec.project_id)):
        text(server, f"{{{METADATA}}}{tag}", content)


def add_system(domain: Element, spec: GuestSpec, machine: str) -> None:
    """Firmware and the DMI tables, by whose product name cloud-init knows an OpenStack guest."""
    system = SubElement(domain, "os")
    text(system, "type", "hvm", arch="x86_64", machine=machine)
    SubElement(system, "smbios", mode="sysinfo")
    dmi = SubElement(SubElement(domain, "sysinfo", type="smbios"), "system")
    entries = {
        "manufacturer": "Pileus",
        "product": "OpenStack Compute",
        "version": "1",
        "serial": spec.server_id,
        "uuid": spec.server_id,
        "family": "Virtual Machine",
    }
    for name, value in entries.items():
        text(dmi, "entry", value, name=name)
    features = SubElement(domain, "features")
    SubElement(features, "acpi")
    SubElement(features, "apic")


def has_cells(spec: GuestSpec) -> bool:
    return spec.hardware is not None and bool(spec.hardware.cells)


def add_cpu(domain: Element, spec: GuestSpec, platform: Platform) -> None:
    if platform.cpu_model in ("host-passthrough", "host-model", "maximum"):
        cpu = SubElement(domain, "cpu", mode=platform.cpu_model, check="none")
    else:
        cpu = SubElement(domain, "cpu", mode="custom", match="exact", check="none")
        text(cpu, "model", platform.cpu_model, fallback="allow")
    add_layout(cpu, spec.vcpus, spec.cpu_layout)
    add_cells(cpu, spec.hardware)


def add_clock(domain: Element) -> None:
    clock = SubElement(domain, "clock", offset="utc")
    SubElement(clock, "timer", name="pit", tickpolicy="delay")
    SubElement(clock, "timer", name="rtc", tickpolicy="catchup")
    SubElement(clock, "timer", name="hpet", present="no")


def add_disks(devices: Element, spec: GuestSpec, files: GuestFiles, properties: dict[str, str]) -> None:
    """Root first and the only one to boot from; serials let a guest find a disk under /dev/disk/by-id."""
    bus = choice(properties, "hw_disk_bus", "virtio")
    free = {prefix: iter(DISK_LETTERS) for prefix in set(TARGET_PREFIX.values())}
    disks = {"root": files.root_disk(spec)}
    if spec.ephemeral_gb:
        disks["ephemeral0"] = files.ephemeral(spec.server_id)
    if spec.swap_mb:
        disks["swap"] = files.swap(spec.server_id)
    for serial, path in disks.items():
        disk = add_disk(devices, path, bus, free[TARGET_PREFIX[bus]])
        if serial == "root":
            SubElement(disk, "boot", order="1")
        text(disk, "serial", serial)
    if spec.config_drive is not None:
        drive_bus = choice(properties, "hw_cdrom_bus", "virtio")
        kind = "cdrom" if drive_bus != "virtio" else "disk"
        path = files.config_drive(spec.server_id)
        disk = add_disk(devices, path, drive_bus, free[TARGET_PREFIX[drive_bus]], kind)
        SubElement(disk, "readonly")
        text(disk, "serial", "config-2")
    buses = {bus, properties.get("hw_cdrom_bus", "")}
    if "scsi" in buses:
        SubElement(devices, "controller", type="scsi", model="virtio-scsi")
    SubElement(devices, "controller", type="usb", model="qemu-xhci" if "usb" in buses else "none")


def add_disk(devices: Element, path: Path, bus: str, letters: Iterator[str], kind: str = "disk") -> Element:
    """A file as a disk, its format by its suffix."""
    disk = SubElement(devices, "disk", type="file", device=kind)
    driver = {"name": "qemu", "type": "qcow2" if path.suffix == ".qcow2" else "raw"}
    if kind == "disk":
        driver["discard"] = "unmap"
    SubElement(disk, "driver", driver)
    SubElement(disk, "source", file=str(path))
    SubElement(disk, "target", dev=TARGET_PREFIX[bus] + next(letters), bus=bus)
    return disk


def add_nic(devices: Element, nic: NicSpec, model: str) -> None:
    """A card on a tap that the network agent has made; libvirt is to leave the tap's own settings alone."""
    interface = SubElement(devices, "interface", type="ethernet")
    SubElement(interface, "mac", address=nic.mac)
    SubElement(interface, "target", dev=nic.tap, managed="no")
    SubElement(interface, "model", type=model)
    SubElement(interface, "mtu", size=str(nic.mtu))
    SubElement(interface, "rom", enabled="no")  # the firmware would load a network boot program that is never used


def add_devices(devices: Element, spec: GuestSpec, files: GuestFiles, properties: dict[str, str]) -> None:
    serial = SubElement(devices, "serial", type="file")
    SubElement(serial, "source", path=str(files.console(spec.server_id)), append="on")
    SubElement(serial, "target", port="0")
    if flag(properties, "hw_qemu_guest_agent"):
        channel = SubElement(devices, "channel", type="unix")
        SubElement(channel, "target", type="virtio", name="org.qemu.guest_agent.0")
    video = choice(properties, "hw_video_model", "vga")
    graphics = SubElement(devices, "graphics", type="vnc")
    SubElement(graphics, "listen", type="socket")  # no TCP port: only the host's root and the guest's user reach it
    SubElement(SubElement(devices, "video"), "model", type=video)
    rng = SubElement(devices, "rng", model="virtio")
    text(rng, "backend", "/dev/urandom", model="random")
    SubElement(devices, "memballoon", model="virtio")
