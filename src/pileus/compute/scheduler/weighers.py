"""What makes one fitting host better than another, by upstream's names. More is better; a multiplier below zero turns it round.

Each weigher's values are scaled to 0 … 1 over the hosts to choose among, then multiplied and added. A host's aggregates may set a
multiplier of their own (`ram_weight_multiplier`, …); of several the least counts.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from pileus.compute.scheduler.request import Request
from pileus.compute.scheduler.state import HostState
from pileus.compute.settings import ComputeSettings

Weigher = Callable[[Request, HostState], float]


def soft_affinity(request: Request, state: HostState) -> float:
    group = request.group
    return group.hosts.get(state.host.name, 0) if group is not None and group.policy == "soft-affinity" else 0


def soft_anti_affinity(request: Request, state: HostState) -> float:
    group = request.group
    return -group.hosts.get(state.host.name, 0) if group is not None and group.policy == "soft-anti-affinity" else 0


def pci(request: Request, state: HostState) -> float:
    """Who wants no device keeps off hosts that have some; who wants some, off those that have many to spare."""
    wanted = request.hardware is not None and request.hardware.devices
    return -len(state.room.free_devices()) if wanted and state.room is not None else -state.host.pci_devices


def metrics(settings: ComputeSettings, request: Request, state: HostState) -> float:
    """What the host reports, each metric times its ratio."""
    told, ratios = state.host.metrics, settings.metrics_weight_setting
    if ratios.keys() - told.keys():
        return settings.metrics_weight_of_unavailable
    return sum(ratio * told[name] for name, ratio in ratios.items())


def image_props(settings: ComputeSettings, request: Request, state: HostState) -> float:
    """How often the host's servers have an image property in common with the request; the setting may weigh some, and only those."""
    ratios = settings.image_props_weight_setting or dict.fromkeys(request.image_properties, 1.0)
    asked = {name: value for name, value in request.image_properties.items() if name in ratios}
    return sum(ratios[name] for held in state.images for name, value in asked.items() if held.get(name) == value)


WEIGHERS: Mapping[str, tuple[Weigher, float]] = {
    "ram": (lambda request, state: state.free("MEMORY_MB"), 1.0),
    "cpu": (lambda request, state: state.free("VCPU"), 1.0),
    "disk": (lambda request, state: state.free("DISK_GB"), 1.0),
    "io_ops": (lambda request, state: state.io_ops, -1.0),
    "num_instances": (lambda request, state: state.servers, 0.0),
    "hypervisor_version": (lambda request, state: state.host.hypervisor_version, 1.0),
    "soft_affinity": (soft_affinity, 100.0),
    "soft_anti_affinity": (soft_anti_affinity, 100.0),
    "pci": (pci, 1.0),
    "build_failure": (lambda request, state: -state.host.failed_builds, 1_000_000.0),
    "cross_cell_move": (lambda request, state: 0, 1_000_000.0),  # there is one cell, and every host is in it
}
# Those that the operator's settings say more about.
CONFIGURED: Mapping[str, tuple[Callable[[ComputeSettings, Request, HostState], float], float]] = {
    "metrics": (metrics, 1.0),
    "image_props": (image_props, 0.0),
}
NAMES = (*WEIGHERS, *CONFIGURED)


def looks_at_images(settings: ComputeSettings, states: Sequence[HostState]) -> bool:
    """Must the states have the image properties of their servers? Not usually: they are to be read from every server's row."""
    return bool(settings.scheduler_weights.get("image_props")) or any(
        _multiplier(settings, "image_props", 0.0, state) for state in states if state.aggregates
    )


def packs(settings: ComputeSettings) -> bool:
    """Do the multipliers fill a host before they take the next?"""
    told = settings.scheduler_weights
    less = any(told.get(name, 0) < 0 for name in ("ram", "cpu", "disk"))
    return less or any(told.get(name, 0) > 0 for name in ("num_instances", "image_props"))


def weigh(settings: ComputeSettings, request: Request, states: Sequence[HostState]) -> list[float]:
    """One weight a host, in their order."""
    totals = [0.0] * len(states)
    weighers = dict(WEIGHERS)
    for name, (configured, usual) in CONFIGURED.items():
        weighers[name] = (partial(configured, settings), usual)
    told = any(state.aggregates for state in states)
    for name, (weigher, usual) in weighers.items():
        if told or settings.scheduler_weights.get(name, usual):
            _add(totals, settings, name, usual, states, [weigher(request, state) for state in states])
    return totals


def _add(
    totals: list[float],
    settings: ComputeSettings,
    name: str,
    usual: float,
    states: Sequence[HostState],
    values: Sequence[float],
) -> None:
    least, most = min(values, default=0), max(values, default=0)
    if most > least:
        for i, state in enumerate(states):
            totals[i] += _multiplier(settings, name, usual, state) * (values[i] - least) / (most - least)


def _multiplier(settings: ComputeSettings, name: str, usual: float, state: HostState) -> float:
    told = state.values(f"{name}_weight_multiplier") if state.aggregates else ()
    own = [float(text) for text in told if _is_number(text)]
    return min(own) if own else settings.scheduler_weights.get(name, usual)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
