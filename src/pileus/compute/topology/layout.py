"""Sockets, cores and threads that a guest sees (Compute's admin guide, Customizing instance CPU topologies)."""

from collections.abc import Mapping
from typing import Any

from pileus.compute.topology.guest import CpuLayout
from pileus.compute.topology.specs import Specs
from pileus.kernel.errors import BadRequest

NAMES = ("sockets", "cores", "threads")


def read(specs: Specs, vcpus: int, cells: int = 0) -> CpuLayout:
    """As asked for; else a socket for each NUMA cell, or for each CPU where there are no cells. Raises BadRequest."""
    if not any(key.startswith(("hw:cpu_", "hw_cpu_")) for source in specs for key in source):
        return CpuLayout(cells, vcpus // cells) if cells and vcpus % cells == 0 else CpuLayout(vcpus)
    asked = {name: specs.number(f"cpu_{name}", _wanted(specs, name)) for name in NAMES}
    most = {name: _limit(specs, name) for name in NAMES}
    for name, value in asked.items():
        if value is not None and value > most[name]:
            raise BadRequest(f"{value} CPU {name} are asked for, and {most[name]} allowed.")
    fitting = [
        layout
        for layout in _every(vcpus)
        if all(getattr(layout, name) <= most[name] and asked[name] in (None, getattr(layout, name)) for name in NAMES)
    ]
    if not fitting:
        said = ", ".join(f"{asked[name] or f'at most {min(most[name], vcpus)}'} {name}" for name in NAMES)
        raise BadRequest(f"No CPU topology of {said} has {vcpus} virtual CPUs.")
    sockets = cells or vcpus
    return min(fitting, key=lambda layout: (layout.threads, abs(layout.sockets - sockets), layout.cores))


def _every(vcpus: int) -> list[CpuLayout]:
    divisors = [number for number in range(1, vcpus + 1) if vcpus % number == 0]
    return [
        CpuLayout(sockets, cores, vcpus // sockets // cores)
        for sockets in divisors
        for cores in divisors
        if vcpus // sockets % cores == 0
    ]


def _wanted(specs: Specs, name: str) -> str | None:
    """An image's wish is followed where the flavor has none."""
    flavor, image = specs.both(f"cpu_{name}")
    return flavor or image


def _limit(specs: Specs, name: str) -> int:
    """An image may lower the flavor's limit, not raise it."""
    flavor, image = (specs.number(f"cpu_max_{name}", value) for value in specs.both(f"cpu_max_{name}"))
    if flavor is not None and image is not None and image > flavor:
        raise BadRequest(
            f"Image property 'hw_cpu_max_{name}' is {image}, more than the {flavor} that the flavor allows."
        )
    return image or flavor or 2**31


def kept(flavor: Mapping[str, Any], properties: Mapping[str, str], cells: int) -> CpuLayout | None:
    """Of a server's copies. None for one that was made when nobody looked at what it says."""
    try:
        return read(Specs(flavor["extra_specs"], properties), int(flavor["vcpus"]), cells)
    except BadRequest:
        return None
