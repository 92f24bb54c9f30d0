"""Choosing PCI devices, near the guest's NUMA cells as far as its policy asks (Compute's admin guide, PCI-NUMA affinity policies)."""

from collections.abc import Sequence

from pileus.compute.scheduler.refusal import Refusal
from pileus.compute.topology.aliases import DeviceWish
from pileus.compute.topology.hardware import Device, Hardware
from pileus.compute.topology.matching import match
from pileus.compute.topology.room import Room


def choose(room: Room, wishes: Sequence[DeviceWish], near: frozenset[int] | None) -> tuple[str, ...] | None:
    """Addresses, or None. `near`: the host's cells that the guest is on; None: it floats, and any device will do."""
    free = room.free_devices()
    while sum(wish.number for wish in wishes) <= len(free):
        options = [(wish.number, _options(room.hardware, wish, free, near)) for wish in wishes]
        if any(number > len(found) for number, found in options):
            return None
        chosen = match([found for number, found in options for _ in range(number)])
        if chosen is None:
            return None
        known = {device.address: device for device in free}
        cut = {address for address in chosen if known[address].parent in chosen}
        if not cut:
            return tuple(chosen)
        free = [device for device in free if device.address not in cut]  # they go with their physical function
    return None


def _options(hardware: Hardware, wish: DeviceWish, free: Sequence[Device], near: frozenset[int] | None) -> list[str]:
    """The devices that would do, the nearest first."""
    ranked = [(rank, d.address) for d in free if wish.matches(d) and (rank := _distance(hardware, wish, d, near)) >= 0]
    return [address for _, address in sorted(ranked)]


def _distance(hardware: Hardware, wish: DeviceWish, device: Device, near: frozenset[int] | None) -> int:
    """0: beside the guest, 1: nobody knows, 2: elsewhere; below zero: the policy forbids it."""
    if near is None or device.numa_node in near:
        return 0
    if device.numa_node is None:
        return 1 if wish.affinity in ("legacy", "preferred") else -1
    if wish.affinity == "preferred":
        return 2
    sockets = {cell.socket for cell in hardware.cells if cell.id in near and cell.socket is not None}
    own = next((cell.socket for cell in hardware.cells if cell.id == device.numa_node), None)
    return 0 if wish.affinity == "socket" and own in sockets else -1


def refusal(room: Room, wishes: Sequence[DeviceWish]) -> Refusal | None:
    """Why the host has not got the devices, wherever they are."""
    if choose(room, wishes, None) is not None:
        return None
    free = room.free_devices()
    for wish in wishes:
        found = sum(wish.matches(device) for device in free)
        if found < wish.number:
            what = "device" if wish.number == 1 else "devices"
            return Refusal(f"lacks {wish.number} PCI {what} {wish.name}", f"{found} free")
    names = ", ".join(f"{wish.number} {wish.name}" for wish in wishes)
    return Refusal(f"lacks PCI devices {names} at once", f"{len(free)} free")
