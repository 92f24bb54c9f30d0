"""Checks of what the image asks for."""

from pileus.compute.scheduler.refusal import Refusal
from pileus.compute.scheduler.request import Request
from pileus.compute.scheduler.state import HostState

ARCHITECTURE = "hw_architecture"
HYPERVISOR = "img_hv_type"


def properties(request: Request, state: HostState) -> Refusal | None:
    host = state.host
    kind = request.image_properties.get(HYPERVISOR)
    if kind and host.hypervisor_type != "fake" and kind.lower() not in (host.hypervisor_type.lower(), "qemu"):
        return Refusal(f"is no {kind}, which the image asks for", f"it runs {host.hypervisor_type}")
    arch = request.image_properties.get(ARCHITECTURE)
    if arch and arch != host.cpu_info.get("arch", "x86_64"):
        return Refusal(f"is no {arch}, which the image asks for", f"it is {host.cpu_info.get('arch', 'x86_64')}")
    return None
