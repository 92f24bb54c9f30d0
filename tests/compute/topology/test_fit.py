"""Guests on hosts of several shapes: what they get, and why they do not."""

from dataclasses import replace
from itertools import pairwise

import pytest

from pileus.compute.scheduler.refusal import Refusal
from pileus.compute.topology.aliases import PciAlias
from pileus.compute.topology.fit import place
from pileus.compute.topology.guest import GuestHardware
from pileus.compute.topology.hardware import AddressPart, Cell, Device, DeviceSpec, Hardware, offered
from pileus.compute.topology.matching import match
from pileus.compute.topology.room import Room
from pileus.compute.topology.wish import Wish, read
from tests.compute.topology.hosts import card, cell, machine

ALIASES = [
    PciAlias("gpu", "10de", "1eb8"),
    PciAlias("vf", "8086", "10ed", device_type="type-VF"),
    PciAlias("pf", "8086", "10fb", device_type="type-PF"),
]


def wish(vcpus: int = 2, ram: int = 1024, *, pack: bool = True, **specs: str) -> Wish:
    """`cpu_policy` stands for `hw:cpu_policy`, `alias` for the PCI alias."""
    named = {"alias": "pci_passthrough:alias"}
    asked = {named.get(key, f"hw:{key}"): value for key, value in specs.items()}
    return read({"vcpus": vcpus, "ram": ram, "extra_specs": asked}, {}, ALIASES, pack=pack)


def got(room: Room, asked: Wish) -> GuestHardware:
    found = place(room, asked)
    assert isinstance(found, GuestHardware), found
    return found


def said(room: Room, asked: Wish) -> str:
    found = place(room, asked)
    assert isinstance(found, Refusal), found
    return str(found)


def test_each_wish_gets_its_own() -> None:
    assert match([["a", "b"], ["a"]]) == ["b", "a"]
    assert match([[1, 2, 3]] * 3) == [1, 2, 3]
    assert match([[1, 2], [1, 3], [1], [3, 4]]) == [2, 3, 1, 4]
    assert match([["a"], ["a"]]) is None
    assert match([]) == []


def test_pins_are_in_one_cell_and_go_on_in_it() -> None:
    room = Room(machine())
    first = got(room, wish(cpu_policy="dedicated"))
    assert [(c.host_cell, c.pins) for c in first.cells] == [(0, ((0, 0), (1, 1)))]
    assert first.emulator == (0, 1) and first.cpus() == (0, 1)
    taken = replace(room, cpus=frozenset({0, 1}))
    assert got(taken, wish(cpu_policy="dedicated")).cpus() == (2, 3), "the fuller cell first"
    assert got(taken, wish(cpu_policy="dedicated", pack=False)).cpus() == (4, 5), "the emptier first"
    assert got(taken, wish(3, cpu_policy="dedicated")).cells[0].host_cell == 1
    fuller = replace(room, cpus=frozenset({0, 4, 5}))
    assert said(fuller, wish(4, cpu_policy="dedicated")) == (
        "has no NUMA cell with 4 free dedicated CPUs: 3 free in cell 0, 2 free in cell 1"
    )


def test_two_cells_are_on_two_cells() -> None:
    room = Room(machine(cells=2))
    found = got(room, wish(4, 2048, cpu_policy="dedicated", numa_nodes="2"))
    assert {c.host_cell for c in found.cells} == {0, 1}
    assert said(room, wish(3, 3072, numa_nodes="3")) == "has fewer NUMA cells than 3: it has 2"
    lame = replace(room, cpus=frozenset({4, 5, 6}))
    both = wish(4, 2048, cpu_policy="dedicated", numa_nodes="2")
    assert said(lame, both) == "has no 2 NUMA cells with room at once"


def test_cells_of_different_size_find_each_its_own() -> None:
    host = Hardware((cell(0, 0, 1), cell(1, 1, 4)), dedicated=(0, 1, 2, 3, 4))
    specs = {"hw:cpu_policy": "dedicated", "hw:numa_nodes": "2"}
    specs |= {"hw:numa_cpus.0": "0-2", "hw:numa_mem.0": "512", "hw:numa_cpus.1": "3", "hw:numa_mem.1": "512"}
    found = got(Room(host), read({"vcpus": 4, "ram": 1024, "extra_specs": specs}, {}))
    assert [(c.host_cell, len(c.pins)) for c in found.cells] == [(1, 3), (0, 1)]


def test_threads() -> None:
    smt, plain = Room(machine(threads=2)), Room(machine())
    assert got(smt, wish(cpu_policy="dedicated")).cpus() == (0, 1), "of one core"
    split = replace(smt, cpus=frozenset({0, 2}))
    assert got(split, wish(1, cpu_policy="dedicated")).cpus() == (1,), "whole cores are kept whole"
    assert got(split, wish(2, cpu_policy="dedicated")).cpus() == (1, 3)
    require = wish(cpu_policy="dedicated", cpu_thread_policy="require")
    assert got(split, require).cpus() == (4, 5)
    alone = replace(split, cpus=frozenset({0, 2, 4, 6}))
    assert said(alone, require).startswith("has no NUMA cell with 2 free dedicated CPUs that are thread siblings: ")
    assert said(plain, require) == "has no thread siblings, which hw:cpu_thread_policy=require needs"
    isolate = wish(cpu_policy="dedicated", cpu_thread_policy="isolate")
    assert said(smt, isolate) == "has thread siblings, which hw:cpu_thread_policy=isolate excludes"
    assert got(plain, isolate).cpus() == (0, 1)


def test_qemus_own_threads() -> None:
    room = Room(machine(shared=1))
    isolated = got(room, wish(cpu_policy="dedicated", emulator_threads_policy="isolate"))
    assert (isolated.cells[0].pins, isolated.emulator, isolated.cpus()) == (((0, 1), (1, 2)), (3,), (1, 2, 3))
    assert got(room, wish(cpu_policy="dedicated", emulator_threads_policy="share")).emulator == (0, 4)
    assert got(Room(machine()), wish(cpu_policy="dedicated", emulator_threads_policy="share")).emulator == (0, 1)


def test_floating_parts_stay_in_their_cell() -> None:
    room = Room(machine(shared=2), cpu_ratio=2.0)
    mixed = got(room, wish(3, cpu_policy="mixed", cpu_dedicated_mask="0"))
    assert (mixed.cells[0].pins, mixed.cells[0].shared) == (((0, 2),), (0, 1))
    assert mixed.emulator == (0, 1, 2)
    assert got(room, wish(2, numa_nodes="1")).cells[0].shared == (0, 1)
    assert said(room, wish(3, numa_nodes="1")).startswith("has no NUMA cell with 3 shared CPUs: 2 shared in cell 0")
    busy = replace(room, floating={0: 3, 1: 4})
    assert got(busy, wish(1, numa_nodes="1")).cells[0].host_cell == 0
    assert said(busy, wish(2, numa_nodes="1")).startswith("has no NUMA cell with 2 shared CPUs")


def test_pages() -> None:
    room = Room(machine(shared=4))
    assert got(room, wish(2, 1024, mem_page_size="large")).page_kb == 1048576
    assert got(room, wish(2, 512, mem_page_size="large")).page_kb == 2048, "not half a page"
    assert got(room, wish(2, 512, mem_page_size="2MB")).page_kb == 2048
    assert got(room, wish(2, 512, mem_page_size="small")).page_kb == 4
    assert got(room, wish(2, 4096, mem_page_size="any")).page_kb == 4
    assert got(room, wish(2, 512, numa_nodes="1")).page_kb is None
    full = replace(room, memory={(0, 2048): 1024, (1, 2048): 768})
    assert got(full, wish(2, 256, mem_page_size="2MB")).cells[0].host_cell == 1
    assert said(full, wish(2, 512, mem_page_size="2MB")) == (
        "has no NUMA cell with 512 MB of memory in pages of 2048 KiB: 0 MB free in cell 0, 256 MB free in cell 1"
    )
    bare = Room(Hardware((Cell(0, ((0,), (1,)), 1024),), shared=(0, 1)))
    assert said(bare, wish(mem_page_size="large")) == "has no large pages"


def test_memory_may_be_promised_twice_but_not_to_one_guest() -> None:
    host = Hardware((Cell(0, ((0,), (1,)), 1000),), shared=(0, 1))
    room = Room(host, memory={(0, 4): 900}, ram_ratio=1.5)
    assert got(room, wish(2, 600, numa_nodes="1"))
    assert said(room, wish(2, 601, numa_nodes="1")).endswith("600 MB free in cell 0")
    assert said(room, wish(2, 600, mem_page_size="small")).endswith("100 MB free in cell 0")
    assert said(Room(host, ram_ratio=4.0), wish(2, 1001, numa_nodes="1"))


def test_devices_without_cells() -> None:
    room = Room(machine(devices=(card(1, 0), card(2, 1))))
    assert got(room, wish(alias="gpu:2")).devices == ("0000:01:00.0", "0000:02:00.0")
    assert got(room, wish(alias="gpu:1")).cells == ()
    held = replace(room, devices=frozenset({"0000:01:00.0"}))
    assert got(held, wish(alias="gpu:1")).devices == ("0000:02:00.0",)
    assert said(held, wish(alias="gpu:2")) == "lacks 2 PCI devices gpu: 1 free"


@pytest.mark.parametrize(
    ("node", "policy", "fits"),
    [
        (1, "legacy", False),
        (1, "required", False),
        (1, "preferred", True),
        (1, "socket", True),
        (2, "socket", False),
        (0, "required", True),
        (None, "legacy", True),
        (None, "required", False),
        (None, "preferred", True),
    ],
)
def test_devices_near_cells(node: int | None, policy: str, fits: bool) -> None:
    """Only cell 0 has CPUs for the guest."""
    hardware = machine(cells=4, devices=(card(1, node),))
    room = Room(hardware, cpus=frozenset(range(4, 16)))
    asked = wish(cpu_policy="dedicated", alias="gpu:1", pci_numa_affinity_policy=policy)
    if fits:
        assert got(room, asked).devices == ("0000:01:00.0",)
    else:
        assert said(room, asked) == "has no room in the NUMA cells near PCI devices gpu"


def test_the_cells_beside_the_devices_come_first_and_are_left_to_those_who_need_them() -> None:
    room = Room(machine(devices=(card(1, 1),)))
    assert got(room, wish(cpu_policy="dedicated", alias="gpu:1")).cells[0].host_cell == 1
    assert got(room, wish(cpu_policy="dedicated")).cells[0].host_cell == 0


def test_functions_of_one_card() -> None:
    parent = Device("0000:03:00.0", "8086", "10fb", "type-PF", 0)
    parts = [Device(f"0000:03:10.{n}", "8086", "10ed", "type-VF", 0, parent.address) for n in range(2)]
    room = Room(machine(devices=(parent, *parts)))
    assert said(room, wish(alias="gpu:1")) == "lacks 1 PCI device gpu: 0 free", "types are never guessed"
    assert got(room, wish(alias="pf:1")).devices == (parent.address,)
    assert len(got(room, wish(alias="vf:2")).devices) == 2
    assert said(replace(room, devices=frozenset({parts[0].address})), wish(alias="pf:1")).startswith("lacks 1")
    assert said(replace(room, devices=frozenset({parent.address})), wish(alias="vf:1")).startswith("lacks 1")
    assert said(room, wish(alias="pf:1,vf:1")) == "lacks PCI devices 1 pf, 1 vf at once: 3 free"


def test_what_an_operator_offers() -> None:
    found = Hardware((cell(0, 0, 4),), (card(1), card(2, product="ffff"), Device("x", "10de", "1eb8")))
    hardware, notes = offered(found, "", "", ())
    assert (hardware.dedicated, hardware.shared, hardware.devices, notes) == ((), (0, 1, 2, 3), (), ())
    hardware, notes = offered(found, "2-3,9", "", (DeviceSpec(vendor_id="10DE", product_id="1eb8"),))
    assert (hardware.dedicated, hardware.shared) == ((2, 3), ())
    assert [device.address for device in hardware.devices] == ["0000:01:00.0"]
    assert notes == ("cpu_dedicated_set names CPUs that this host does not have: 9",)
    tried: tuple[tuple[str | dict[AddressPart, str], bool], ...] = (
        ("0000:02:00.*", True),
        ("02:00.0", True),
        ("*:01:*.*", False),
        ({"bus": "0[23]", "function": "[0-3]"}, True),
        ({"slot": "1"}, False),
    )
    for address, matched in tried:
        assert DeviceSpec(address=address).matches(found.devices[1]) is matched, address


def test_large_hosts_are_searched_quickly() -> None:
    hardware = machine(cells=8, cpus=32)
    room = Room(hardware, cpus=frozenset(cpu for a, b in pairwise(range(0, 257, 32)) for cpu in range(a, b - 3)))
    assert said(room, wish(32, 8192, cpu_policy="dedicated", numa_nodes="8")).startswith("has no NUMA cell with 4 free")
    assert got(room, wish(24, 8192, cpu_policy="dedicated", numa_nodes="8"))


def test_a_search_among_many_cells_ends() -> None:
    hardware = machine(cells=32, cpus=4, devices=(card(1, 31),))
    room = Room(hardware, cpus=frozenset(range(8, 124)))
    asked = wish(12, 3072, cpu_policy="dedicated", numa_nodes="3", alias="gpu:1")
    assert {cell.host_cell for cell in got(room, asked).cells} == {0, 1, 31}
    assert said(replace(room, cpus=frozenset(range(8, 128))), asked) == "has no 3 NUMA cells with room at once"
