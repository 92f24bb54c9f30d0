"""What the libvirt driver is told; `compute.drivers` fills it from the section `[agent]`."""

from typing import Literal

import msgspec

from pileus.compute.topology.hardware import DeviceSpec


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Every setting of the libvirt driver; sizes are bytes unless the name says otherwise."""

    state_dir: str = "/var/lib/pileus/compute"
    """Folder of the guests' disks and of the private libvirtd; made if absent. Base images must be below it too, or
    where `qemu_user` can read them."""

    uri: str = ""
    """Connection URI of a libvirtd that others run, such as qemu:///system; empty starts a private one."""

    virt_type: Literal["auto", "kvm", "qemu"] = "auto"
    """auto takes KVM when a probe guest runs at hardware speed, else QEMU's emulation."""

    cpu_model: str = ""
    """A model that libvirt knows, or host-passthrough; empty takes host-passthrough on KVM, `Nehalem` on emulation."""

    machine: str = "pc"
    """Machine type of guests whose image does not ask for one with hw_machine_type."""

    qemu_user: str = "libvirt-qemu"
    """Unprivileged user that guests run as; also the owner of their disks."""

    console_log_bytes: int = 1024 * 1024
    """How much of each guest's serial console is kept."""

    cpu_dedicated_set: str = ""
    """Host CPUs that guests may have alone, as 2-7,^4."""

    cpu_shared_set: str = ""
    """Host CPUs that all other guests run on; empty: every one, or none where some are dedicated."""

    pci_device_spec: tuple[DeviceSpec, ...] = ()
    """PCI devices that guests may have; empty: none, and none is looked for."""

    call_timeout: int = 30
    """Seconds without a sign of life after which a connection to libvirtd is given up."""
