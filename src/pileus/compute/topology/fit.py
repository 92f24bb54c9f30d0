"""Whether a host's hardware does for a guest, and which part of it: cells on cells, CPUs, pages, devices. Pure."""

from collections.abc import Callable, Iterable, Sequence
from itertools import combinations, islice

from pileus.compute.scheduler.refusal import Refusal
from pileus.compute.topology import devices, pins
from pileus.compute.topology.cells import CellWish
from pileus.compute.topology.guest import GuestCell, GuestHardware
from pileus.compute.topology.hardware import SMALL_KB, Cell, Hardware
from pileus.compute.topology.matching import match
from pileus.compute.topology.room import Room
from pileus.compute.topology.wish import Wish

MOST_CHOICES = 2000  # sets of cells tried for devices: all of them on hosts of up to twelve cells


def place(room: Room, wish: Wish) -> GuestHardware | Refusal:
    """The guest's part of the host, or why there is none. The same answer for the same room: a check's is the claim's."""
    if (why := devices.refusal(room, wish.devices)) is not None:
        return why
    if not wish.cells:
        return GuestHardware(devices=devices.choose(room, wish.devices, None) or ())
    if (why := _threads(room.hardware, wish)) is not None:
        return why
    if len(wish.cells) > len(room.hardware.cells):
        return Refusal(f"has fewer NUMA cells than {len(wish.cells)}", f"it has {len(room.hardware.cells)}")
    cells = _ordered(room, wish)
    for page_kb in _page_sizes(room.hardware, wish):
        if _cells(room, wish, cells, page_kb) is None:
            continue
        for chosen in _choices(wish, cells):
            if (found := _on(room, wish, chosen, page_kb)) is not None:
                return found
    return _why(room, wish)


def _choices(wish: Wish, cells: list[Cell]) -> Iterable[Sequence[Cell]]:
    """Sets of cells to try. Without devices it is all the same which others there are; with them, which are near counts."""
    return islice(combinations(cells, len(wish.cells)), MOST_CHOICES) if wish.devices else [cells]


def _threads(hardware: Hardware, wish: Wish) -> Refusal | None:
    """Thread policies are about hosts: with several threads a core, or without."""
    if wish.threads == "require" and not hardware.threads:
        return Refusal("has no thread siblings, which hw:cpu_thread_policy=require needs")
    if wish.threads == "isolate" and hardware.threads:
        return Refusal("has thread siblings, which hw:cpu_thread_policy=isolate excludes")
    return None


def _page_sizes(hardware: Hardware, wish: Wish) -> list[int | None]:
    """KiB to try in this order. None: as they come."""
    large = sorted({pool.size_kb for cell in hardware.cells for pool in cell.pages if pool.total}, reverse=True)
    named: dict[object, list[int | None]] = {
        None: [None],
        "small": [SMALL_KB],
        "large": [*large],
        "any": [*large, SMALL_KB],
    }
    return [wish.pages] if isinstance(wish.pages, int) else named[wish.pages]


def _ordered(room: Room, wish: Wish) -> list[Cell]:
    """The cells to try first: with devices if any are wanted, else without; then the fuller ones (`pack`), or the emptier."""
    way = 1 if wish.pack else -1
    near: dict[int | None, int] = {}
    for device in room.free_devices():
        if not wish.devices or any(asked.matches(device) for asked in wish.devices):
            near[device.numa_node] = near.get(device.numa_node, 0) + 1

    def key(cell: Cell) -> tuple[int, float, float]:
        around = near.get(cell.id, 0)
        free = sum(map(len, room.dedicated(cell))) if wish.dedicated else -room.floating.get(cell.id, 0)
        return -around if wish.devices else around, way * free, way * room.free_mb(cell, None)

    return sorted(room.hardware.cells, key=key)


def _count(wish: Wish, number: int) -> int:
    """Host CPUs that a guest cell takes alone; QEMU's own goes with the first that has pins."""
    first = next((i for i, cell in enumerate(wish.cells) if cell.pinned), -1)
    return len(wish.cells[number].pinned) + (1 if number == first and wish.emulator == "isolate" else 0)


def _fits(room: Room, wish: Wish, number: int, cell: Cell, page_kb: int | None) -> bool:
    asked = wish.cells[number]
    return (
        pins.choose(room.dedicated(cell), _count(wish, number), wish.threads) is not None
        and room.has_floating(cell, len(asked.vcpus) - len(asked.pinned))
        and room.has_memory(cell, asked, page_kb)
    )


def _cells(room: Room, wish: Wish, cells: Sequence[Cell], page_kb: int | None) -> list[int] | None:
    """A cell of the host, of these, for each of the guest's; None when they can not all have one."""
    numbers = range(len(wish.cells))
    return match([[cell.id for cell in cells if _fits(room, wish, number, cell, page_kb)] for number in numbers])


def _on(room: Room, wish: Wish, cells: Sequence[Cell], page_kb: int | None) -> GuestHardware | None:
    """The guest on these cells of the host, each of its cells on one, with devices near them."""
    chosen = devices.choose(room, wish.devices, frozenset(cell.id for cell in cells))
    given = None if chosen is None else _cells(room, wish, cells, page_kb)
    if chosen is None or given is None:
        return None
    by_id = {cell.id: cell for cell in cells}
    made: list[GuestCell] = []
    extra: list[int] = []
    for number, (asked, key) in enumerate(zip(wish.cells, given, strict=True)):
        cpus = pins.choose(room.dedicated(by_id[key]), _count(wish, number), wish.threads) or ()
        pinned = tuple(zip(asked.pinned, cpus, strict=False))  # one more where QEMU has its own
        extra += cpus[len(asked.pinned) :]
        floats = len(asked.pinned) < len(asked.vcpus)
        shared = room.shared(by_id[key]) if floats else ()
        made.append(GuestCell(asked.vcpus, asked.memory_mb, key, pinned, shared))
    return GuestHardware(tuple(made), page_kb, _emulator(room, wish, made, extra), tuple(extra), chosen)


def _emulator(room: Room, wish: Wish, cells: list[GuestCell], extra: list[int]) -> tuple[int, ...]:
    """Where QEMU's own threads run: apart, with everybody's, or on the guest's CPUs."""
    if extra:
        return tuple(extra)
    if wish.emulator == "share" and room.hardware.shared:
        return room.hardware.shared
    return tuple(sorted({cpu for cell in cells for cpu in (*cell.shared, *(cpu for _, cpu in cell.pins))}))


def _why(room: Room, wish: Wish) -> Refusal:
    """The first thing that no cell has for one of the guest's cells; else that they do not come together."""
    sizes = _page_sizes(room.hardware, wish)
    if not sizes:
        return Refusal("has no large pages")
    for number, asked in enumerate(wish.cells):
        for passes, refusal in _steps(room, wish, number, asked, sizes):
            if not any(passes(cell) for cell in room.hardware.cells):
                return refusal
        if not any(_fits(room, wish, number, cell, size) for cell in room.hardware.cells for size in sizes):
            return Refusal(
                f"has no NUMA cell with the CPUs and {asked.memory_mb} MB of memory of a guest's cell at once"
            )
    if wish.devices and isinstance(place(room, wish._replace(devices=())), GuestHardware):
        names = ", ".join(asked.name for asked in wish.devices)
        return Refusal(f"has no room in the NUMA cells near PCI devices {names}")
    return Refusal(f"has no {len(wish.cells)} NUMA cells with room at once")


def _steps(
    room: Room, wish: Wish, number: int, asked: CellWish, sizes: list[int | None]
) -> list[tuple[Callable[[Cell], bool], Refusal]]:
    cells, count, floating = room.hardware.cells, _count(wish, number), len(asked.vcpus) - len(asked.pinned)
    free = {cell.id: sum(map(len, room.dedicated(cell))) for cell in cells}
    siblings = " that are thread siblings" if wish.threads == "require" else ""
    pages = "" if sizes == [None] else " in pages of " + ", ".join(f"{size} KiB" for size in sizes)
    left = {cell.id: max(room.free_mb(cell, size) for size in sizes) for cell in cells}
    return [
        (
            lambda cell: pins.choose(room.dedicated(cell), count, wish.threads) is not None,
            Refusal(f"has no NUMA cell with {count} free dedicated CPUs{siblings}", _each(free, "free")),
        ),
        (
            lambda cell: room.has_floating(cell, floating),
            Refusal(
                f"has no NUMA cell with {floating} shared CPUs",
                _each({cell.id: len(room.shared(cell)) for cell in cells}, "shared"),
            ),
        ),
        (
            lambda cell: any(room.has_memory(cell, asked, size) for size in sizes),
            Refusal(f"has no NUMA cell with {asked.memory_mb} MB of memory{pages}", _each(left, "MB free")),
        ),
    ]


def _each(figures: dict[int, int], what: str) -> str:
    return ", ".join(f"{max(figure, 0)} {what} in cell {cell}" for cell, figure in figures.items())
