"""The NUMA cells that a guest is to have: how many, and which virtual CPUs and memory are in each."""

from typing import NamedTuple

from pileus.compute.topology import cpusets
from pileus.compute.topology.specs import Specs
from pileus.kernel.errors import BadRequest


class CellWish(NamedTuple):
    """`pinned`: those of the virtual CPUs that want a host CPU alone."""

    vcpus: tuple[int, ...]
    memory_mb: int
    pinned: tuple[int, ...] = ()


def read(specs: Specs, vcpus: int, memory_mb: int, *, implied: bool) -> list[CellWish]:
    """None where the guest may float. `implied`: something else needs a cell at least."""
    count = specs.number("numa_nodes", specs.only_one("numa_nodes"))
    if count is None:
        return [CellWish(tuple(range(vcpus)), memory_mb)] if implied else []
    if count > vcpus:
        raise BadRequest(f"{count} NUMA nodes can not be made of {vcpus} virtual CPUs.")
    cpus = {number: specs.only_one(f"numa_cpus.{number}") for number in range(count)}
    memory = {number: specs.only_one(f"numa_mem.{number}") for number in range(count)}
    _refuse_strange(specs, count)
    given = [*cpus.values(), *memory.values()]
    if not any(given):
        return _even(count, vcpus, memory_mb)
    if not all(given):
        raise BadRequest("CPU and memory allocation must be given for all NUMA nodes, or for none.")
    cells = [
        CellWish(_cpus(number, str(cpus[number]), vcpus), specs.number(f"numa_mem.{number}", memory[number]) or 0)
        for number in range(count)
    ]
    _refuse_wrong_sums(cells, vcpus, memory_mb)
    return cells


def _refuse_strange(specs: Specs, count: int) -> None:
    for source in specs:
        for key in source:
            name, dot, number = key.partition(".")
            part = dot and name in ("hw:numa_cpus", "hw:numa_mem", "hw_numa_cpus", "hw_numa_mem")
            if part and not (number.isdecimal() and int(number) < count):
                raise BadRequest(f"{key!r} is about a NUMA node that there is none of: there are {count}, from 0 on.")


def _even(count: int, vcpus: int, memory_mb: int) -> list[CellWish]:
    if vcpus % count or memory_mb % count:
        raise BadRequest(
            f"{vcpus} virtual CPUs and {memory_mb} MB of memory can not be shared evenly by {count} NUMA nodes:"
            " give hw:numa_cpus.N and hw:numa_mem.N for each."
        )
    each = vcpus // count
    return [CellWish(tuple(range(i * each, (i + 1) * each)), memory_mb // count) for i in range(count)]


def _cpus(number: int, text: str, vcpus: int) -> tuple[int, ...]:
    try:
        found = cpusets.parse(text)
    except ValueError as error:
        raise BadRequest(f"'hw:numa_cpus.{number}': {error}") from None
    if beyond := [cpu for cpu in found if cpu >= vcpus]:
        raise BadRequest(f"CPU number {min(beyond)} of NUMA node {number} is larger than max {vcpus - 1}.")
    if not found:
        raise BadRequest(f"NUMA node {number} has no CPU.")
    return tuple(sorted(found))


def _refuse_wrong_sums(cells: list[CellWish], vcpus: int, memory_mb: int) -> None:
    every = [cpu for cell in cells for cpu in cell.vcpus]
    if twice := {cpu for cpu in every if every.count(cpu) > 1}:
        raise BadRequest(f"CPU number {min(twice)} is assigned to two NUMA nodes.")
    if missing := set(range(vcpus)) - set(every):
        raise BadRequest(f"CPU number {min(missing)} is not assigned to any NUMA node.")
    if (assigned := sum(cell.memory_mb for cell in cells)) != memory_mb:
        raise BadRequest(f"{assigned} MB of memory assigned to NUMA nodes, but expected {memory_mb} MB.")
