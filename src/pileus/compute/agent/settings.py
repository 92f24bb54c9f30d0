"""Section `[agent]`: what one host is told about itself."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from pileus.compute.topology import cpusets
from pileus.compute.topology.hardware import DeviceSpec


class AgentSettings(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    virt_type: Annotated[
        Literal["auto", "kvm", "qemu"], Meta(description="auto: KVM where it really boots a guest, else TCG")
    ] = "auto"
    cpu_model: Annotated[str, Meta(description="CPU that guests see; empty: the driver's choice for the virt type")] = (
        ""
    )
    machine: Annotated[str, Meta(description="machine type of guests whose image asks for none")] = "pc"
    qemu_user: Annotated[str, Meta(description="unprivileged user that guests run as")] = "libvirt-qemu"
    cpu_dedicated_set: Annotated[
        str, Meta(description="host CPUs that guests may have alone (hw:cpu_policy=dedicated), as 2-7,^4; empty: none")
    ] = ""
    cpu_shared_set: Annotated[
        str, Meta(description="host CPUs for all other guests; empty: every one, or none where some are dedicated")
    ] = ""
    pci_device_spec: Annotated[
        tuple[DeviceSpec, ...],
        Meta(description="PCI devices that guests may have: any of vendor_id, product_id, address (0000:41:00.*)"),
    ] = ()
    console_log_kib: Annotated[int, Meta(ge=16, description="KiB kept of each guest's console log")] = 1024
    tunnel_ip: Annotated[str, Meta(description="address of this host for VXLAN")] = "127.0.0.1"
    vxlan_port: Annotated[int, Meta(ge=1, le=65535, description="UDP port of VXLAN")] = 4789
    public_bridge: Annotated[str, Meta(max_length=15, description="bridge of the physical network `public`")] = "br-ex"
    public_interface: Annotated[str, Meta(description="interface to put into that bridge; empty: none")] = ""
    public_address: Annotated[
        str,
        Meta(description="address (CIDR) on the bridge itself, so that this machine reaches floating IPs; empty: none"),
    ] = "172.24.4.1/24"
    public_masquerade: Annotated[bool, Meta(description="let guests out through this machine's own default route")] = (
        True
    )
    interval: Annotated[float, Meta(ge=0.5, description="seconds between looks when nothing hints at news")] = 5.0
    cache_max_days: Annotated[int, Meta(ge=1, description="days that such an image is kept at most")] = 30
    cache_max_gb: Annotated[int, Meta(ge=0, description="GiB of base images kept that no guest uses")] = 20
    cache_min_free_gb: Annotated[
        int, Meta(ge=0, description="GiB of the disk below which unused base images go, and no image is copied")
    ] = 1

    def __post_init__(self) -> None:
        """Raises ValueError for sets that are none, or that have a CPU in common."""
        both = cpusets.parse(self.cpu_dedicated_set) & cpusets.parse(self.cpu_shared_set)
        if both:
            raise ValueError(f"cpu_dedicated_set and cpu_shared_set have CPUs in common: {cpusets.text(both)}")
