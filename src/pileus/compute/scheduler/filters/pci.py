"""PCI devices: whether the host has those that are asked for, wherever they are. That they are near is NUMATopologyFilter's."""

from pileus.compute.scheduler.refusal import Refusal
from pileus.compute.scheduler.request import Request
from pileus.compute.scheduler.state import HostState
from pileus.compute.topology import devices


def passthrough(request: Request, state: HostState) -> Refusal | None:
    wish = request.hardware
    if wish is None or not wish.devices:
        return None
    if state.room is None:
        return Refusal("has no PCI devices for guests")
    return devices.refusal(state.room, wish.devices)
