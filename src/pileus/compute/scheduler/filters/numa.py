"""NUMA cells: those of a guest on those of a host, with CPUs of its own, pages and devices near them."""

from pileus.compute.scheduler.refusal import Refusal
from pileus.compute.scheduler.request import Request
from pileus.compute.scheduler.state import HostState
from pileus.compute.topology import fit


def topology(request: Request, state: HostState) -> Refusal | None:
    """Nothing for a guest that floats over its host."""
    wish = request.hardware
    if wish is None or not wish.cells:
        return None
    if state.room is None or not state.room.hardware.cells:
        return Refusal("reports no NUMA topology")
    found = fit.place(state.room, wish)
    return found if isinstance(found, Refusal) else None
