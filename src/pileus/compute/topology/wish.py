"""What a server asks of its host's hardware beyond amounts: read from its flavor and image once, for the checks, the claim and the host."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from pileus.compute.settings import ComputeSettings
from pileus.compute.topology import aliases, cells, cpusets, layout
from pileus.compute.topology.aliases import DeviceWish, PciAlias
from pileus.compute.topology.cells import CellWish
from pileus.compute.topology.specs import Specs, cpu_policy, page_size
from pileus.kernel.errors import BadRequest
from pileus.kernel.http.listing import TRUE

THREADS = ("prefer", "isolate", "require")
EMULATOR = ("isolate", "share")
SPEAK = ("hw:", "hw_numa_", "hw_cpu_", "hw_mem_page_size", "hw_pci_", "resources:PCPU", aliases.KEY)


class Wish(NamedTuple):
    """`threads`: how pins use cores with several threads. `pages`: small, large, any, KiB, or None. `pack`: fill cells one by one."""

    cells: tuple[CellWish, ...] = ()
    threads: str | None = None
    pages: str | int | None = None
    emulator: str | None = None
    devices: tuple[DeviceWish, ...] = ()
    pack: bool = True

    @property
    def dedicated(self) -> int:
        """Host CPUs that it wants alone."""
        pinned = sum(len(cell.pinned) for cell in self.cells)
        return pinned + (1 if pinned and self.emulator == "isolate" else 0)


def resources(wish: Wish | None, wanted: Mapping[str, int]) -> dict[str, int]:
    """Placement's classes: CPUs of its own are PCPU, the others VCPU."""
    if wish is None or not wish.dedicated:
        return dict(wanted)
    floating = sum(len(cell.vcpus) - len(cell.pinned) for cell in wish.cells)
    others = {name: amount for name, amount in wanted.items() if name not in ("VCPU", "PCPU")}
    return others | {"PCPU": wish.dedicated} | ({"VCPU": floating} if floating else {})


def of(settings: ComputeSettings, flavor: Mapping[str, Any], properties: Mapping[str, str]) -> Wish | None:
    """None when it asks for nothing of these. Raises BadRequest, as `read`."""
    pack = settings.packing_host_numa_cells_allocation_strategy
    wish = read(flavor, properties, settings.pci_alias, pack=pack)
    return wish if wish.cells or wish.devices else None


def read(
    flavor: Mapping[str, Any], properties: Mapping[str, str], known: Sequence[PciAlias] = (), *, pack: bool = True
) -> Wish:
    """`flavor`: vcpus, ram (MiB) and extra_specs, as a server keeps them. Raises BadRequest for what contradicts itself."""
    specs = Specs(flavor["extra_specs"], properties)
    if not any(key.startswith(SPEAK) for source in specs for key in source):
        return Wish(pack=pack)
    vcpus, memory_mb = int(flavor["vcpus"]), int(flavor["ram"])
    if vcpus > cpusets.LARGEST:
        raise BadRequest(f"{vcpus} virtual CPUs have no topology: {cpusets.LARGEST} may have one.")
    pinned = _pinned(specs, vcpus)
    pages = page_size(specs)
    threads = specs.one_of("cpu_thread_policy", specs.alike("cpu_thread_policy"), THREADS)
    emulator = specs.one_of("emulator_threads_policy", specs.flavor.get("hw:emulator_threads_policy"), EMULATOR)
    if not pinned and (threads or emulator):
        name = "hw:cpu_thread_policy" if threads else "hw:emulator_threads_policy"
        raise BadRequest(f"{name} is about CPUs of one's own: it needs hw:cpu_policy=dedicated (or mixed).")
    found = cells.read(specs, vcpus, memory_mb, implied=bool(pinned) or pages is not None)
    layout.read(specs, vcpus, len(found))
    _refuse_uneven(found, pages)
    return Wish(
        cells=tuple(cell._replace(pinned=tuple(cpu for cpu in cell.vcpus if cpu in pinned)) for cell in found),
        threads=threads,
        pages=pages,
        emulator=emulator,
        devices=aliases.read(specs, known),
        pack=pack,
    )


def _pinned(specs: Specs, vcpus: int) -> frozenset[int]:
    """The virtual CPUs that want a host CPU alone."""
    policy = cpu_policy(specs)
    if any(source.get(key, "").lower() in TRUE for source, key in _realtime(specs)):
        raise BadRequest("This cloud serves no real-time CPUs: leave hw:cpu_realtime out.")
    mask = specs.flavor.get("hw:cpu_dedicated_mask")
    asked = {name: specs.flavor.get(f"resources:{name}") for name in ("VCPU", "PCPU")}
    if policy is not None and any(asked.values()):
        raise BadRequest("hw:cpu_policy and resources:VCPU or resources:PCPU say the same: give one of them.")
    if mask is not None and policy != "mixed":
        raise BadRequest("hw:cpu_dedicated_mask needs hw:cpu_policy=mixed.")
    if asked["PCPU"] not in (None, "0"):
        return _counted(specs, asked, vcpus)
    if policy == "dedicated":
        return frozenset(range(vcpus))
    return _masked(mask, vcpus) if policy == "mixed" else frozenset()


def _realtime(specs: Specs) -> tuple[tuple[Mapping[str, str], str], ...]:
    return (specs.flavor, "hw:cpu_realtime"), (specs.image, "hw_cpu_realtime")


def _counted(specs: Specs, asked: Mapping[str, str | None], vcpus: int) -> frozenset[int]:
    """resources:PCPU is another word for the policy dedicated."""
    if asked["VCPU"] is not None:
        raise BadRequest("resources:VCPU and resources:PCPU can not be asked for together: use hw:cpu_policy=mixed.")
    extra = 1 if specs.flavor.get("hw:emulator_threads_policy") == "isolate" else 0
    if asked["PCPU"] != str(vcpus + extra):
        raise BadRequest(f"resources:PCPU must be {vcpus + extra}, as many as the flavor has virtual CPUs.")
    return frozenset(range(vcpus))


def _masked(mask: str | None, vcpus: int) -> frozenset[int]:
    if mask is None:
        raise BadRequest("hw:cpu_policy=mixed needs hw:cpu_dedicated_mask: which virtual CPUs are dedicated.")
    try:
        pinned = cpusets.chosen(mask, range(vcpus))
    except ValueError as error:
        raise BadRequest(f"hw:cpu_dedicated_mask: {error}") from None
    if not pinned or not pinned < frozenset(range(vcpus)):
        raise BadRequest(f"hw:cpu_dedicated_mask must name some, and not all, of the virtual CPUs 0 to {vcpus - 1}.")
    return pinned


def _refuse_uneven(found: Sequence[CellWish], pages: str | int | None) -> None:
    for cell in found:
        if isinstance(pages, int) and cell.memory_mb * 1024 % pages:
            raise BadRequest(f"{cell.memory_mb} MB of memory can not be made of whole pages of {pages} KiB.")
