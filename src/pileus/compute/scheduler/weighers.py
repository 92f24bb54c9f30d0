"""What makes one fitting host better than another, by upstream's names. More is better; a multiplier below zero turns it round.

Each weigher's values are scaled to 0 … 1 over the hosts to choose among, then multiplied and added. A host's aggregates may set a
multiplier of their own (`ram_weight_multiplier`, …).
"""

from collections.abc import Callable, Mapping, Sequence

from pileus.compute.scheduler.request import Request
from pileus.compute.scheduler.state import HostState

Weigher = Callable[[Request, HostState], float]


def soft_affinity(request: Request, state: HostState) -> float:
    group = request.group
    return group.hosts.get(state.host.name, 0) if group is not None and group.policy == "soft-affinity" else 0


def soft_anti_affinity(request: Request, state: HostState) -> float:
    group = request.group
    return -group.hosts.get(state.host.name, 0) if group is not None and group.policy == "soft-anti-affinity" else 0


WEIGHERS: Mapping[str, tuple[Weigher, float]] = {
    "ram": (lambda request, state: state.free("MEMORY_MB"), 1.0),
    "cpu": (lambda request, state: state.free("VCPU"), 1.0),
    "disk": (lambda request, state: state.free("DISK_GB"), 1.0),
    "io_ops": (lambda request, state: state.changing, -1.0),
    "num_instances": (lambda request, state: state.servers, 0.0),
    "hypervisor_version": (lambda request, state: state.host.hypervisor_version, 0.0),
    "soft_affinity": (soft_affinity, 100.0),
    "soft_anti_affinity": (soft_anti_affinity, 100.0),
}


def weigh(multipliers: Mapping[str, float], request: Request, states: Sequence[HostState]) -> list[float]:
    """One weight a host, in their order."""
    totals = [0.0] * len(states)
    for name, (weigher, usual) in WEIGHERS.items():
        values = [weigher(request, state) for state in states]
        least, most = min(values, default=0), max(values, default=0)
        if most == least:
            continue
        for i, state in enumerate(states):
            told = state.values(f"{name}_weight_multiplier") if state.aggregates else ()
            own = [float(text) for text in told if _is_number(text)]
            multiplier = min(own) if own else multipliers.get(name, usual)
            totals[i] += multiplier * (values[i] - least) / (most - least)
    return totals


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
