"""What flavors and images ask for, and which contradictions are refused with 400."""

from typing import Any

import pytest

from pileus.compute.topology import cpusets, layout
from pileus.compute.topology.aliases import PciAlias
from pileus.compute.topology.cells import CellWish
from pileus.compute.topology.guest import CpuLayout
from pileus.compute.topology.specs import Specs
from pileus.compute.topology.wish import Wish, read, resources
from pileus.kernel.errors import BadRequest

GPU = PciAlias("gpu", "10de", "1eb8", numa_policy="preferred")


def wish(specs: dict[str, str] | None = None, image: dict[str, str] | None = None, vcpus: int = 4) -> Wish:
    return read({"vcpus": vcpus, "ram": 4096, "extra_specs": specs or {}}, image or {}, [GPU, PciAlias("nic")])


def test_sets_of_cpus() -> None:
    assert cpusets.parse("0-3, ^2,7") == {0, 1, 3, 7} and cpusets.parse("") == frozenset()
    assert cpusets.text({7, 0, 1, 2, 4}) == "0-2,4,7" and cpusets.text(()) == ""
    assert cpusets.chosen("^0", range(4)) == {1, 2, 3} and cpusets.chosen("0-1", range(4)) == {0, 1}
    for wrong in ("3-1", "a", "1-", "-1", "0-99999", "^", "1;2"):
        with pytest.raises(ValueError, match="CPU"):
            cpusets.parse(wrong)


def test_most_servers_ask_for_nothing() -> None:
    assert wish({"resources:VCPU": "2", "capabilities:x": "y"}, {"hw_disk_bus": "virtio"}) == Wish()
    assert wish({"hw:cpu_policy": "shared", "hw:cpu_sockets": "2"}) == Wish()


def test_cells() -> None:
    assert wish({"hw:numa_nodes": "2"}).cells == (CellWish((0, 1), 2048), CellWish((2, 3), 2048))
    uneven = {"hw:numa_cpus.0": "0", "hw:numa_mem.0": "1024", "hw:numa_cpus.1": "1-3", "hw:numa_mem.1": "3072"}
    assert wish({"hw:numa_nodes": "2", **uneven}).cells == (CellWish((0,), 1024), CellWish((1, 2, 3), 3072))
    assert wish(image={"hw_numa_nodes": "1"}).cells == (CellWish((0, 1, 2, 3), 4096),)


def test_pins_and_pages_imply_a_cell() -> None:
    pinned = wish({"hw:cpu_policy": "dedicated"})
    assert pinned.cells == (CellWish((0, 1, 2, 3), 4096, (0, 1, 2, 3)),)
    assert resources(pinned, {"VCPU": 4, "MEMORY_MB": 4096}) == {"PCPU": 4, "MEMORY_MB": 4096}
    assert wish({"resources:PCPU": "4"}).cells == pinned.cells
    isolated = wish({"hw:cpu_policy": "dedicated", "hw:emulator_threads_policy": "isolate"})
    assert resources(isolated, {"VCPU": 4}) == {"PCPU": 5}
    mixed = wish({"hw:cpu_policy": "mixed", "hw:cpu_dedicated_mask": "^0"})
    assert mixed.cells[0].pinned == (1, 2, 3) and resources(mixed, {"VCPU": 4}) == {"PCPU": 3, "VCPU": 1}
    assert wish({"hw:mem_page_size": "large"}).cells == (CellWish((0, 1, 2, 3), 4096),)
    assert resources(None, {"VCPU": 4}) == {"VCPU": 4}


@pytest.mark.parametrize(
    ("flavor", "image", "policy"),
    [
        (None, "dedicated", 4),
        ("dedicated", "shared", 4),
        ("dedicated", "dedicated", 4),
        ("shared", "shared", 0),
        ("shared", "dedicated", None),
        (None, "shared", 0),
    ],
)
def test_a_flavor_has_the_last_word_on_cpus(flavor: str | None, image: str, policy: int | None) -> None:
    specs = {"hw:cpu_policy": flavor} if flavor else {}
    if policy is None:
        with pytest.raises(BadRequest, match="hw_cpu_policy"):
            wish(specs, {"hw_cpu_policy": image})
    else:
        assert wish(specs, {"hw_cpu_policy": image}).dedicated == policy


@pytest.mark.parametrize(
    ("value", "size"), [("2048", 2048), ("2MB", 2048), ("1GiB", 1048576), ("16Mb", 2048), ("LARGE", "large"), ("4k", 4)]
)
def test_page_sizes(value: str, size: object) -> None:
    assert wish({"hw:mem_page_size": value}).pages == size
    assert wish({"hw:mem_page_size": "any"}, {"hw_mem_page_size": value}).pages == size
    assert wish({}, {"hw_mem_page_size": value}).pages == size


def test_devices() -> None:
    (gpu, nic) = wish({"pci_passthrough:alias": "gpu:2, nic:1"}).devices
    assert (gpu.name, gpu.number, gpu.affinity) == ("gpu", 2, "preferred")
    assert (nic.name, nic.number, nic.affinity) == ("nic", 1, "legacy")
    (strict,) = wish({"pci_passthrough:alias": "gpu:1", "hw:pci_numa_affinity_policy": "required"}).devices
    assert strict.affinity == "required"


@pytest.mark.parametrize(
    ("specs", "image", "said"),
    [
        ({"hw:numa_nodes": "0"}, {}, "a number from 1 on"),
        ({"hw:numa_nodes": "two"}, {}, "a number from 1 on"),
        ({"hw:numa_nodes": "3"}, {}, "shared evenly"),
        ({"hw:numa_nodes": "5"}, {}, "can not be made of 4"),
        ({"hw:numa_nodes": "2"}, {"hw_numa_nodes": "2"}, "not permitted to override"),
        ({"hw:numa_nodes": "2", "hw:numa_cpus.0": "0-1"}, {}, "for all NUMA nodes"),
        ({"hw:numa_nodes": "2", "hw:numa_cpus.2": "0-1"}, {}, "there are 2"),
        ({"hw:numa_nodes": "1", "hw:numa_cpus.0": "0-4", "hw:numa_mem.0": "4096"}, {}, "larger than max 3"),
        ({"hw:numa_nodes": "1", "hw:numa_cpus.0": "0-2", "hw:numa_mem.0": "4096"}, {}, "3 is not assigned"),
        ({"hw:numa_nodes": "1", "hw:numa_cpus.0": "0-3", "hw:numa_mem.0": "4095"}, {}, "expected 4096"),
        ({"hw:numa_nodes": "1", "hw:numa_cpus.0": "x", "hw:numa_mem.0": "4096"}, {}, "neither a CPU number"),
        ({"hw:cpu_policy": "lazy"}, {}, "shared, dedicated, mixed"),
        ({"hw:cpu_policy": "mixed"}, {}, "needs hw:cpu_dedicated_mask"),
        ({"hw:cpu_policy": "mixed", "hw:cpu_dedicated_mask": "0-3"}, {}, "some, and not all"),
        ({"hw:cpu_policy": "dedicated", "hw:cpu_dedicated_mask": "0"}, {}, "needs hw:cpu_policy=mixed"),
        ({"hw:cpu_policy": "dedicated", "resources:PCPU": "4"}, {}, "give one of them"),
        ({"resources:PCPU": "2"}, {}, "must be 4"),
        ({"hw:cpu_thread_policy": "require"}, {}, "needs hw:cpu_policy=dedicated"),
        ({"hw:emulator_threads_policy": "share"}, {}, "needs hw:cpu_policy=dedicated"),
        (
            {"hw:cpu_policy": "dedicated", "hw:cpu_thread_policy": "require"},
            {"hw_cpu_thread_policy": "isolate"},
            "contradicts",
        ),
        ({"hw:cpu_realtime": "yes"}, {}, "no real-time CPUs"),
        ({"hw:mem_page_size": "huge"}, {}, "is no page size"),
        ({"hw:mem_page_size": "0"}, {}, "is no page size"),
        ({"hw:mem_page_size": "small"}, {"hw_mem_page_size": "large"}, "does not permit"),
        ({"hw:mem_page_size": "2MB"}, {"hw_mem_page_size": "2MB"}, "does not permit"),
        ({"hw:mem_page_size": "3000"}, {}, "whole pages"),
        ({"hw:cpu_sockets": "3"}, {}, "No CPU topology"),
        ({"hw:cpu_max_sockets": "1"}, {"hw_cpu_max_sockets": "2"}, "more than the 1"),
        ({"hw:cpu_max_threads": "1"}, {"hw_cpu_threads": "2"}, "1 allowed"),
        ({"pci_passthrough:alias": "tape:1"}, {}, "PCI alias tape is not defined"),
        ({"pci_passthrough:alias": "gpu"}, {}, "alias:count"),
        ({"pci_passthrough:alias": "gpu:0"}, {}, "alias:count"),
        (
            {"pci_passthrough:alias": "gpu:1", "hw:pci_numa_affinity_policy": "required"},
            {"hw_pci_numa_affinity_policy": "preferred"},
            "contradicts",
        ),
    ],
)
def test_contradictions(specs: dict[str, str], image: dict[str, str], said: str) -> None:
    with pytest.raises(BadRequest, match=said):
        wish(specs, image)


def test_a_flavor_larger_than_any_machine_is_refused_at_once() -> None:
    with pytest.raises(BadRequest, match="have no topology"):
        wish({"hw:cpu_policy": "dedicated"}, vcpus=2**31 - 1)


@pytest.mark.parametrize(
    ("specs", "image", "cells", "seen"),
    [
        ({}, {}, 0, (8, 1, 1)),
        ({}, {}, 2, (2, 4, 1)),
        ({"hw:cpu_sockets": "2"}, {}, 0, (2, 4, 1)),
        ({"hw:cpu_threads": "2"}, {}, 0, (4, 1, 2)),
        ({"hw:cpu_max_sockets": "1", "hw:cpu_max_threads": "1"}, {}, 0, (1, 8, 1)),
        ({"hw:cpu_max_sockets": "4"}, {"hw_cpu_max_sockets": "2"}, 0, (2, 4, 1)),
        ({"hw:cpu_cores": "2", "hw:cpu_threads": "2"}, {"hw_cpu_cores": "4"}, 0, (2, 2, 2)),
        ({}, {"hw_cpu_sockets": "1", "hw_cpu_cores": "4"}, 0, (1, 4, 2)),
    ],
)
def test_layouts(specs: dict[str, str], image: dict[str, str], cells: int, seen: tuple[int, int, int]) -> None:
    assert layout.read(Specs(specs, image), 8, cells) == CpuLayout(*seen)


def test_servers_of_before_keep_running_with_what_they_say() -> None:
    old: dict[str, Any] = {"vcpus": 4, "ram": 64, "extra_specs": {"hw:cpu_sockets": "3"}}
    assert layout.kept(old, {}, 0) is None
