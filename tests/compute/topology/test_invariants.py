"""Hosts filled and emptied at random: whatever is placed fits, and what was full is so for a reason."""

import random
from dataclasses import dataclass, field, replace

import pytest

from pileus.compute.topology.aliases import PciAlias
from pileus.compute.topology.fit import place
from pileus.compute.topology.guest import GuestHardware
from pileus.compute.topology.hardware import SMALL_KB, Device, Hardware
from pileus.compute.topology.room import Room
from pileus.compute.topology.wish import Wish, read
from tests.compute.topology.hosts import card, machine

GPU = PciAlias("gpu", "10de")
VF = PciAlias("vf", "8086", device_type="type-VF")
PF = PciAlias("pf", "8086", device_type="type-PF")


@dataclass
class Host:
    """A host's hardware and the guests on it."""

    hardware: Hardware
    guests: list[tuple[Wish, GuestHardware]] = field(default_factory=list)

    def room(self) -> Room:
        made = Room(self.hardware, cpu_ratio=2.0, ram_ratio=1.5)
        memory: dict[tuple[int, int], int] = {}
        floating: dict[int, int] = {}
        for _, guest in self.guests:
            for cell in guest.cells:
                key = (cell.host_cell, guest.page_kb or SMALL_KB)
                memory[key] = memory.get(key, 0) + cell.memory_mb
                floating[cell.host_cell] = floating.get(cell.host_cell, 0) + len(cell.vcpus) - len(cell.pins)
        cpus = [cpu for _, guest in self.guests for cpu in guest.cpus()]
        devices = [address for _, guest in self.guests for address in guest.devices]
        assert len(cpus) == len(set(cpus)) and len(devices) == len(set(devices)), "nothing is given twice"
        return replace(made, cpus=frozenset(cpus), devices=frozenset(devices), memory=memory, floating=floating)


def a_host(luck: random.Random) -> Host:
    parent = Device("0000:f0:00.0", "8086", "10fb", "type-PF", 0)
    parts = tuple(Device(f"0000:f0:10.{n}", "8086", "10ed", "type-VF", 0, parent.address) for n in range(4))
    cards = tuple(card(number, luck.choice((0, 1, None))) for number in range(luck.randrange(4)))
    cells, threads = luck.choice((1, 2, 4)), luck.choice((1, 2))
    return Host(machine(cells, 8, threads=threads, shared=luck.choice((0, 2)), devices=(*cards, parent, *parts)))


def a_wish(luck: random.Random) -> Wish:
    nodes = luck.choice((1, 2))
    vcpus, ram = nodes * luck.randrange(1, 5), nodes * luck.choice((128, 512, 2048))
    specs = {"hw:numa_nodes": str(nodes)}
    policy = luck.choice(("shared", "dedicated", "dedicated", "mixed"))
    if policy != "mixed" or vcpus > 1:
        specs["hw:cpu_policy"] = policy
    if specs.get("hw:cpu_policy") == "mixed":
        specs["hw:cpu_dedicated_mask"] = f"0-{vcpus // 2 - 1}" if vcpus > 3 else "0"
    if specs.get("hw:cpu_policy") == "dedicated":
        specs |= luck.choice(({}, {"hw:cpu_thread_policy": "require"}, {"hw:emulator_threads_policy": "isolate"}))
    specs |= luck.choice(({}, {}, {"hw:mem_page_size": luck.choice(("2MB", "large", "any", "small"))}))
    if luck.random() < 0.4:
        specs["pci_passthrough:alias"] = luck.choice(("gpu:1", "gpu:2", "vf:1", "vf:2", "pf:1", "gpu:1,vf:1"))
        specs["hw:pci_numa_affinity_policy"] = luck.choice(("required", "legacy", "preferred", "socket"))
    return read({"vcpus": vcpus, "ram": ram, "extra_specs": specs}, {}, [GPU, VF, PF], pack=luck.random() < 0.5)


def check(before: Room, wish: Wish, guest: GuestHardware) -> None:
    hardware = before.hardware
    cells = {cell.id: cell for cell in hardware.cells}
    on = [cell.host_cell for cell in guest.cells]
    assert len(set(on)) == len(on) == len(wish.cells)
    for asked, made in zip(wish.cells, guest.cells, strict=True):
        here = cells[made.host_cell]
        assert (made.vcpus, made.memory_mb) == (asked.vcpus, asked.memory_mb)
        assert tuple(vcpu for vcpu, _ in made.pins) == asked.pinned
        own = {cpu for _, cpu in made.pins}
        assert own <= here.cpus & set(hardware.dedicated) and not own & before.cpus
        assert set(made.shared) <= here.cpus & set(hardware.shared)
        assert made.shared or len(asked.pinned) == len(asked.vcpus), "who floats has where to"
        size = guest.page_kb or SMALL_KB
        used = before.memory.get((here.id, size), 0) + made.memory_mb
        assert used <= here.pages_mb(size) * (1.5 if guest.page_kb is None else 1)
        if wish.threads == "require" and len(own) > 1:
            assert sum(len(own & set(core)) > 1 for core in here.cores) >= len(own) // 2
    assert guest.emulator and not set(guest.emulator) & before.cpus
    assert len(guest.extra_cpus) == (1 if wish.emulator == "isolate" and wish.dedicated else 0)
    free = {device.address: device for device in before.free_devices()}
    taken = [free[address] for address in guest.devices]
    assert len(taken) == sum(asked.number for asked in wish.devices)
    assert not {device.parent for device in taken} & set(guest.devices), "a card and its functions are for one guest"
    for asked_device in wish.devices:
        if asked_device.affinity == "required":
            assert sum(asked_device.matches(d) and d.numa_node in on for d in taken) >= asked_device.number


@pytest.mark.parametrize("seed", range(30))
def test_whatever_is_placed_fits(seed: int) -> None:
    luck = random.Random(seed)
    host, placed = a_host(luck), 0
    for _ in range(60):
        room, wish = host.room(), a_wish(luck)
        found = place(room, wish)
        if isinstance(found, GuestHardware):
            check(room, wish, found)
            assert place(room, wish) == found, "the same room gives the same answer"
            host.guests.append((wish, found))
            placed += 1
        elif host.guests and luck.random() < 0.5:
            host.guests.remove(luck.choice(host.guests))
        else:
            assert str(found)
    assert placed
    host.guests.clear()
    assert host.room() == Room(host.hardware, cpu_ratio=2.0, ram_ratio=1.5)
