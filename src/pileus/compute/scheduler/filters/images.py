"""Checks of what the image asks for, and of hosts kept for some images."""

from pileus.compute.scheduler.refusal import Refusal
from pileus.compute.scheduler.request import Request
from pileus.compute.scheduler.state import HostState
from pileus.compute.settings import ComputeSettings

ARCHITECTURE = "hw_architecture"
HYPERVISOR = "img_hv_type"
VM_MODE = "hw_vm_mode"


def properties(request: Request, state: HostState) -> Refusal | None:
    """Architecture, hypervisor (`qemu` means KVM as well) and machine mode: all guests here have a machine, `hvm`."""
    host = state.host
    kind = request.image_properties.get(HYPERVISOR, "").lower()
    served = {"qemu", host.hypervisor_type.lower(), str(host.cpu_info.get("virt_type", ""))}
    if kind and host.hypervisor_type != "fake" and kind not in served:
        return Refusal(f"is no {kind}, which the image asks for", f"it runs {host.hypervisor_type}")
    arch = request.image_properties.get(ARCHITECTURE)
    if arch and arch != host.cpu_info.get("arch", "x86_64"):
        return Refusal(f"is no {arch}, which the image asks for", f"it is {host.cpu_info.get('arch', 'x86_64')}")
    mode = request.image_properties.get(VM_MODE, "hvm")
    return None if mode == "hvm" else Refusal(f"has no machine mode {mode}, which the image asks for")


def isolated_hosts(settings: ComputeSettings, request: Request, state: HostState) -> Refusal | None:
    """Isolated images run on isolated hosts alone; those take no others, unless the settings allow it."""
    host, image = state.host.name in settings.isolated_hosts, request.image_id in settings.isolated_images
    if image and not host:
        return Refusal("is not kept for this image")
    if host and not image and settings.restrict_isolated_hosts_to_isolated_images:
        return Refusal("is kept for certain images")
    return None
