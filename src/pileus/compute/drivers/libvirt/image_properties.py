"""hw_* image properties: what an image may ask of its guest's virtual hardware.

Values come from users: only those listed here reach the hypervisor.
"""

import re
from collections.abc import Mapping
from typing import Literal

from pileus.compute.drivers.base import GuestFailed

DISK_BUSES = ("virtio", "scsi", "sata", "ide", "usb")
VIF_MODELS = ("virtio", "e1000", "e1000e", "ne2k_pci", "pcnet", "rtl8139")
VIDEO_MODELS = ("vga", "virtio", "cirrus", "qxl", "bochs", "none")
MACHINE = re.compile(r"pc|q35|pc-(i440fx|q35)-[0-9]+\.[0-9]+")

Property = Literal["hw_disk_bus", "hw_cdrom_bus", "hw_vif_model", "hw_video_model"]
ALLOWED: dict[Property, tuple[str, ...]] = {
    "hw_disk_bus": DISK_BUSES,
    "hw_cdrom_bus": DISK_BUSES,
    "hw_vif_model": VIF_MODELS,
    "hw_video_model": VIDEO_MODELS,
}


def choice(properties: Mapping[str, str], name: Property, default: str) -> str:
    """The image's value of `name`, or `default`; raises a permanent GuestFailed for one that is not offered."""
    value = properties.get(name, default)
    if value != default and value not in ALLOWED[name]:
        offered = ", ".join(ALLOWED[name])
        raise GuestFailed(f"Image property {name} is {value!r}; this host offers {offered}.", permanent=True)
    return value


def machine_type(properties: Mapping[str, str], default: str) -> str:
    """hw_machine_type: `pc`, `q35` or a version of them such as pc-i440fx-7.2."""
    value = properties.get("hw_machine_type", default)
    if value != default and not MACHINE.fullmatch(value):
        raise GuestFailed(f"Image property hw_machine_type is {value!r}; this host offers pc and q35.", permanent=True)
    return value


def refuse_unsupported(properties: Mapping[str, str]) -> None:
    """Properties that would change what the guest sees, and that this driver cannot honour."""
    if properties.get("hw_firmware_type", "bios") != "bios":
        raise GuestFailed("Image property hw_firmware_type asks for UEFI; this host offers bios.", permanent=True)
    if properties.get("hw_architecture", "x86_64") not in ("x86_64", "i686"):
        raise GuestFailed("Image property hw_architecture asks for another processor than x86_64.", permanent=True)


def flag(properties: Mapping[str, str], name: str) -> bool:
    """OpenStack's spellings of a true property."""
    return properties.get(name, "").lower() in ("1", "true", "yes", "on", "t", "y")
