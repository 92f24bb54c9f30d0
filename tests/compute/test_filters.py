"""Each check and weigher by itself: what passes, what does not, and why."""

from dataclasses import replace
from typing import Any

import pytest

from pileus.compute.hosts.models import Host
from pileus.compute.manifest import MANIFEST
from pileus.compute.scheduler import requirements, weighers
from pileus.compute.scheduler.filters import CONFIGURED, FILTERS, NAMES, hints, in_use, refuse
from pileus.compute.scheduler.refusal import Refusal
from pileus.compute.scheduler.request import Request
from pileus.compute.scheduler.state import HostState
from pileus.compute.server_groups.membership import GroupFacts
from pileus.compute.settings import ComputeSettings
from pileus.compute.topology.aliases import DeviceWish, PciAlias
from pileus.compute.topology.cells import CellWish
from pileus.compute.topology.hardware import Cell, Hardware
from pileus.compute.topology.room import Room
from pileus.compute.topology.wish import Wish
from pileus.kernel import clock
from pileus.kernel.config import ConfigError
from pileus.kernel.errors import BadRequest
from pileus.placement.internal import Stock, Supply
from tests.cloud import cloud_of

CAPABILITIES = "ComputeCapabilitiesFilter"
TRAITS = frozenset({"HW_CPU_X86_AVX2"})
GPU = Wish(devices=(DeviceWish("gpu", 2, (PciAlias("gpu", "10de"),), "legacy"),))
CELL = Wish(cells=(CellWish((0, 1), 512, (0, 1)),))
ONE_CELL = Room(Hardware((Cell(0, ((0,), (1,)), 1024),), dedicated=(0, 1)))


def state(name: str = "n1", free: int = 4096, **more: Any) -> HostState:
    row: dict[str, Any] = {
        "id": name,
        "name": name,
        "hypervisor_type": "QEMU",
        "hypervisor_version": 8002000,
        "vcpus": 8,
        "memory_mb": 8192,
        "disk_gb": 100,
        "cpu_info": {"arch": "x86_64", "model": "Skylake"},
        "address": "192.0.2.17",
        "availability_zone": "nova",
        "disabled": False,
        "forced_down": False,
        "seen_at": clock.now(),
        "metrics": {"cpu.percent": 0.25},
        "failed_builds": 0,
        "pci_devices": 0,
    }
    kept = {key: more.pop(key) for key in list(more) if key in HostState._fields}
    stock = {
        "VCPU": Stock(8, 0, 1.0, 8, 0),
        "MEMORY_MB": Stock(8192, 0, 1.0, 8192, 8192 - free),
        "DISK_GB": Stock(100, 0, 1.0, 100, 0),
    }
    return HostState(Host(**{**row, **more}), Supply(name, name, 1, stock, TRAITS), **kept)


def request(**more: Any) -> Request:
    return Request(**{"resources": {"VCPU": 1}, "image_properties": {}, "extra_specs": {}, "project_id": "p1", **more})


def verdict(name: str, asked: Request, of: HostState) -> str | None:
    refusal = FILTERS[name](asked, of) if name in FILTERS else CONFIGURED[name](SETTINGS, asked, of)
    return None if refusal is None else str(refusal)


SETTINGS = ComputeSettings(
    isolated_hosts=["kept"],
    isolated_images=["special"],
    max_io_ops_per_host=8,
    max_instances_per_host=4,
    metrics_weight_setting={"cpu.percent": -1.0},
)
AGGREGATE = ({"ssd": "true", "filter_tenant_id": "p1, p2", "instance_type": "m1.big", "os_distro": "debian"},)
CASES: list[tuple[str, dict[str, Any], dict[str, Any], str | None]] = [
    ("ComputeFilter", {}, {}, None),
    ("ComputeFilter", {}, {"disabled": True, "disabled_reason": "repair"}, "is disabled: repair"),
    ("ComputeFilter", {}, {"forced_down": True}, "is down"),
    ("RequestedHost", {"host": "n2"}, {}, "is not the requested host n2"),
    ("AvailabilityZoneFilter", {"availability_zone": "north"}, {}, "is not in availability zone north: it is in nova"),
    ("ComputeCapabilitiesFilter", {"extra_specs": {"capabilities:cpu_info:model": "<or> Skylake <or> EPYC"}}, {}, None),
    ("ComputeCapabilitiesFilter", {"extra_specs": {"free_ram_mb": ">= 4096"}}, {}, None),
    ("ComputeCapabilitiesFilter", {"extra_specs": {"hw:cpu_policy": "dedicated"}}, {}, None),
    (
        "ComputeCapabilitiesFilter",
        {"extra_specs": {"capabilities:vcpus_total": ">= 9"}},
        {},
        "lacks the capability vcpus_total >= 9: it has 8",
    ),
    ("ComputeCapabilitiesFilter", {"extra_specs": {"gpu": "1"}}, {}, "says nothing of the capability gpu"),
    ("ImagePropertiesFilter", {"image_properties": {"hw_architecture": "x86_64"}}, {}, None),
    (
        "ImagePropertiesFilter",
        {"image_properties": {"hw_architecture": "aarch64"}},
        {},
        "is no aarch64, which the image asks for: it is x86_64",
    ),
    (
        "ImagePropertiesFilter",
        {"image_properties": {"img_hv_type": "xen"}},
        {},
        "is no xen, which the image asks for: it runs QEMU",
    ),
    ("TraitsFilter", {"extra_specs": {"trait:HW_CPU_X86_AVX2": "required"}}, {}, None),
    (
        "TraitsFilter",
        {"extra_specs": {"trait:HW_CPU_X86_AVX2": "forbidden"}},
        {},
        "has forbidden trait HW_CPU_X86_AVX2",
    ),
    ("TraitsFilter", {"image_properties": {"trait:CUSTOM_X": "required"}}, {}, "lacks trait CUSTOM_X"),
    ("AggregateInstanceExtraSpecsFilter", {"extra_specs": {"ssd": "true"}}, {"aggregates": AGGREGATE}, None),
    (
        "AggregateInstanceExtraSpecsFilter",
        {"extra_specs": {"aggregate_instance_extra_specs:ssd": "s== true"}},
        {},
        "is in no aggregate with ssd s== true",
    ),
    (
        "AggregateImagePropertiesIsolation",
        {"image_properties": {"os_distro": "debian"}},
        {"aggregates": AGGREGATE},
        None,
    ),
    (
        "AggregateImagePropertiesIsolation",
        {"image_properties": {"os_distro": "windows"}},
        {"aggregates": AGGREGATE},
        "is kept for images with another os_distro: debian",
    ),
    ("AggregateMultiTenancyIsolation", {"project_id": "p2"}, {"aggregates": AGGREGATE}, None),
    (
        "AggregateMultiTenancyIsolation",
        {"project_id": "p3"},
        {"aggregates": AGGREGATE},
        "is kept for other projects: p1, p2",
    ),
    ("AggregateTypeAffinityFilter", {"flavor_name": "m1.big"}, {"aggregates": AGGREGATE}, None),
    (
        "AggregateTypeAffinityFilter",
        {"flavor_name": "m1.nano"},
        {"aggregates": AGGREGATE},
        "is kept for other flavors: m1.big",
    ),
    (
        "ServerGroupAffinityFilter",
        {"group": GroupFacts("affinity", {"n2": 1})},
        {},
        "is not the host of the other servers of the group",
    ),
    (
        "ServerGroupAntiAffinityFilter",
        {"group": GroupFacts("anti-affinity", {"n1": 2}, 2)},
        {},
        "has 2 of the group already",
    ),
    ("SameHostFilter", {"same_hosts": frozenset({"n2"})}, {}, "is not the host of the servers named in same_host"),
    (
        "DifferentHostFilter",
        {"different_hosts": frozenset({"n1"})},
        {},
        "is the host of a server named in different_host",
    ),
    ("SimpleCIDRAffinityFilter", {"near": ("192.0.2.1", "/28")}, {}, "is not in 192.0.2.0/28: it is 192.0.2.17"),
    ("SimpleCIDRAffinityFilter", {"near": ("192.0.2.1", "/24")}, {}, None),
    ("JsonFilter", {"query": ["and", [">=", "$free_ram_mb", 4096], ["=", "$hypervisor_hostname", "n1"]]}, {}, None),
    ("JsonFilter", {"query": ["in", "$hypervisor_hostname", "n1", "n2"]}, {}, None),
    ("JsonFilter", {"query": ["not", ["<", "$free_ram_mb", 9999]]}, {}, "does not match the hint query"),
    ("JsonFilter", {"query": [">", "$unknown", 1]}, {}, "does not match the hint query"),
    ("JsonFilter", {"query": ["in", "$vcpus_total", 4, 8]}, {}, None),
    ("JsonFilter", {"query": ["=", "$vcpus_used", 0]}, {}, None),
    ("ImagePropertiesFilter", {"image_properties": {"hw_vm_mode": "hvm", "img_hv_type": "qemu"}}, {}, None),
    (
        "ImagePropertiesFilter",
        {"image_properties": {"hw_vm_mode": "xen"}},
        {},
        "has no machine mode xen, which the image asks for",
    ),
    ("IsolatedHostsFilter", {}, {}, None),
    ("IsolatedHostsFilter", {"image_id": "special"}, {"name": "kept"}, None),
    ("IsolatedHostsFilter", {"image_id": "special"}, {}, "is not kept for this image"),
    ("IsolatedHostsFilter", {"image_id": "usual"}, {"name": "kept"}, "is kept for certain images"),
    ("MetricsFilter", {}, {}, None),
    ("MetricsFilter", {}, {"metrics": {}}, "does not report cpu.percent"),
    ("IoOpsFilter", {}, {"io_ops": 7}, None),
    (
        "IoOpsFilter",
        {},
        {"io_ops": 8, "aggregates": ({"max_io_ops_per_host": "9"},)},
        "is busy: with 8 servers, 8 allowed",
    ),
    ("AggregateIoOpsFilter", {}, {"io_ops": 8}, "is busy: with 8 servers, 8 allowed"),
    ("AggregateIoOpsFilter", {}, {"io_ops": 8, "aggregates": ({"max_io_ops_per_host": "9"},)}, None),
    ("NumInstancesFilter", {}, {"servers": 3, "aggregates": ({"max_instances_per_host": "3"},)}, None),
    ("NumInstancesFilter", {}, {"servers": 4}, "is full: with 4 servers, 4 allowed"),
    (
        "AggregateNumInstancesFilter",
        {},
        {"servers": 3, "aggregates": ({"max_instances_per_host": "3"},)},
        "is full: with 3 servers, 3 allowed",
    ),
    ("PciPassthroughFilter", {}, {}, None),
    ("PciPassthroughFilter", {"hardware": GPU}, {}, "has no PCI devices for guests"),
    ("PciPassthroughFilter", {"hardware": GPU}, {"room": Room(Hardware())}, "lacks 2 PCI devices gpu: 0 free"),
    ("NUMATopologyFilter", {"hardware": GPU}, {}, None),
    ("NUMATopologyFilter", {"hardware": CELL}, {}, "reports no NUMA topology"),
    ("NUMATopologyFilter", {"hardware": CELL}, {"room": ONE_CELL}, None),
    (
        "NUMATopologyFilter",
        {"hardware": CELL},
        {"room": replace(ONE_CELL, cpus=frozenset({1}))},
        "has no NUMA cell with 2 free dedicated CPUs: 1 free in cell 0",
    ),
    ("Placement", {"resources": {"VCPU": 9}}, {}, "lacks 9 VCPU: it gives at most 8 at once"),
    ("Placement", {"resources": {"MEMORY_MB": 5000}}, {}, "lacks 5000 MEMORY_MB: 4096 free"),
    ("AllHostsFilter", {}, {"disabled": True}, None),
]


@pytest.mark.parametrize(("name", "asked", "of", "why"), CASES, ids=[f"{i}-{case[0]}" for i, case in enumerate(CASES)])
def test_a_check(name: str, asked: dict[str, Any], of: dict[str, Any], why: str | None) -> None:
    assert verdict(name, request(**asked), state(**of)) == why


def test_every_check_has_a_case_that_passes_or_refuses() -> None:
    assert {case[0] for case in CASES} == set(NAMES)


def test_only_what_is_in_use_refuses() -> None:
    asked, of = request(extra_specs={"gpu": "1"}), state()
    nothing, capabilities = (in_use(ComputeSettings(scheduler_filters=names)) for names in ([], [CAPABILITIES]))
    assert refuse(nothing, asked, of) is None
    assert refuse(capabilities, asked, of) == (
        "ComputeCapabilitiesFilter",
        Refusal("says nothing of the capability gpu"),
    )
    assert refuse(nothing, asked, state(disabled=True)) == ("ComputeFilter", Refusal("is disabled")), (
        "some checks always are"
    )
    assert capabilities[-1][0] == "Placement", "room is looked at last"


def test_metrics_that_are_required_are_checked_without_being_named() -> None:
    for required in (True, False):
        settings = ComputeSettings(metrics_weight_setting={"cpu.percent": 1.0}, metrics_required=required)
        assert ("MetricsFilter" in dict(in_use(settings))) is required
    assert "MetricsFilter" not in dict(in_use(ComputeSettings()))


def test_isolated_hosts_may_be_open_to_others() -> None:
    settings = ComputeSettings(isolated_hosts=["n1"], restrict_isolated_hosts_to_isolated_images=False)
    assert CONFIGURED["IsolatedHostsFilter"](settings, request(image_id="usual"), state()) is None


def test_images_are_kept_apart_by_some_properties_alone() -> None:
    check, of = CONFIGURED["AggregateImagePropertiesIsolation"], state(aggregates=({"os": "a", "own.os": "a"},))
    told = ComputeSettings(aggregate_image_properties_isolation_namespace="own")
    assert check(told, request(image_properties={"os": "b"}), of) is None
    assert check(told, request(image_properties={"own.os": "b"}), of) is not None
    assert check(ComputeSettings(), request(image_properties={"os": "b"}), of) is not None


@pytest.mark.parametrize(
    ("value", "requirement", "met"),
    [
        ("4", "4", True),
        ("5", "= 4", True),
        ("5", "== 4", False),
        ("5", "!= 4", True),
        ("3", ">= 4", False),
        ("x", ">= 4", False),
        ("abc", "s== abc", True),
        ("abc", "s< abd", True),
        ("abcdef", "<in> cde", True),
        ("aes mmx", "<all-in> aes mmx", True),
        ("aes", "<all-in> aes mmx", False),
        ("b", "<or> a <or> b", True),
        ("c", "<or> a <or> b", False),
    ],
)
def test_requirements(value: str, requirement: str, met: bool) -> None:
    assert requirements.met(value, requirement) is met


@pytest.mark.parametrize(
    "text", ["{", "[]", "3", '["frob", 1, 2]', '["and"]', '["=", 1]', '["=", [1], 2]', "[" * 40 + "]" * 40]
)
def test_a_query_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(BadRequest, match="hint query"):
        hints.parse_query(text)


def test_a_range_that_is_none_is_refused() -> None:
    assert hints.parse_near("192.0.2.1", None) == ("192.0.2.1", "/24")
    for address, prefix in (("nowhere", "/24"), ("192.0.2.1", "/99")):
        with pytest.raises(BadRequest, match="is not a network"):
            hints.parse_near(address, prefix)


def weights(told: dict[str, float] | ComputeSettings, *states: HostState, **asked: Any) -> list[str]:
    """Best first; `told` are multipliers, or all of the settings."""
    settings = told if isinstance(told, ComputeSettings) else ComputeSettings(scheduler_weights=told)
    found = zip(weighers.weigh(settings, request(**asked), states), states, strict=True)
    return [of.host.name for _, of in sorted(found, key=lambda pair: -pair[0])]


def test_weighers_spread_or_pack() -> None:
    empty, full = state("empty", 8000), state("full", 100)
    assert weights({}, full, empty) == ["empty", "full"]
    assert weights({"ram": -1.0}, empty, full) == ["full", "empty"]
    own = state("own", 8000, aggregates=({"ram_weight_multiplier": "-5"},))
    assert weights({}, own, full) == ["full", "own"], "an aggregate's own multiplier wins"
    busy = state("busy", 4096, io_ops=3)
    assert weights({}, busy, state("idle", 4096)) == ["idle", "busy"]


def test_a_host_that_fails_to_build_comes_last_but_is_not_out() -> None:
    empty, full = state("empty", 8000, failed_builds=2), state("full", 100)
    assert weights({}, empty, full) == ["full", "empty"]
    assert weights({"build_failure": 0.0}, full, empty) == ["empty", "full"]


def test_newer_hypervisors_are_better_and_cells_are_alike() -> None:
    old, new = state("old"), state("new", hypervisor_version=9000000)
    assert weights({}, old, new) == ["new", "old"]
    assert weights({"hypervisor_version": -1.0}, new, old) == ["old", "new"]
    assert weights({"cross_cell_move": -5.0, "hypervisor_version": 0.0}, new, old) == ["new", "old"], "as they came"


def test_metrics() -> None:
    idle, busy = state("idle", metrics={"cpu.percent": 0.1}), state("busy", metrics={"cpu.percent": 0.9})
    silent = state("silent", metrics={})
    lazy = ComputeSettings(metrics_weight_setting={"cpu.percent": -1.0}, metrics_required=False)
    assert weights(lazy, silent, busy, idle) == ["idle", "busy", "silent"]
    eager = ComputeSettings(
        metrics_weight_setting={"cpu.percent": -1.0}, metrics_required=False, metrics_weight_of_unavailable=5.0
    )
    assert weights(eager, idle, silent) == ["silent", "idle"]
    assert weights({}, silent, idle) == ["silent", "idle"], "nothing is weighed: as they came"


def test_image_properties() -> None:
    alike, other = state("alike", images=({"os_distro": "debian", "hw_machine_type": "pc"},)), state("other")
    asked = {"image_properties": {"os_distro": "debian", "hw_machine_type": "q35"}}
    assert weights({"image_props": 1.0}, other, alike, **asked) == ["alike", "other"]
    assert weights({"image_props": -1.0}, alike, other, **asked) == ["other", "alike"]
    assert weights({}, other, alike, **asked) == ["other", "alike"], "off unless asked for"
    machine = state("machine", images=({"hw_machine_type": "q35"},))
    told = ComputeSettings(
        scheduler_weights={"image_props": 1.0}, image_props_weight_setting={"hw_machine_type": 2.0, "os_distro": 1.0}
    )
    assert weights(told, alike, machine, **asked) == ["machine", "alike"]
    none = ComputeSettings(scheduler_weights={"image_props": 1.0}, image_props_weight_setting={"os_type": 1.0})
    assert weights(none, other, alike, **asked) == ["other", "alike"], "no other property counts"
    assert weighers.looks_at_images(told, [alike]) and not weighers.looks_at_images(ComputeSettings(), [alike])
    own = state(aggregates=({"image_props_weight_multiplier": "2"},))
    assert weighers.looks_at_images(ComputeSettings(), [own])


def test_soft_policies_weigh_more_than_room() -> None:
    empty, full = state("empty", 8000), state("full", 100)
    near = GroupFacts("soft-affinity", {"full": 1})
    assert weights({}, empty, full, group=near) == ["full", "empty"]
    assert weights({}, full, empty, group=GroupFacts("soft-anti-affinity", {"empty": 1})) == ["full", "empty"]


@pytest.mark.parametrize("line", ['scheduler_filters = ["NoSuchFilter"]', "scheduler_weights = {luck = 1.0}"])
def test_a_check_or_weigher_that_does_not_exist_stops_the_start(tmp_path: Any, line: str) -> None:
    (tmp_path / "pileus.toml").write_text(f"[compute]\n{line}\n")
    with (
        pytest.raises(ConfigError, match=r"section \[compute\]"),
        cloud_of(tmp_path, MANIFEST, file=tmp_path / "pileus.toml"),
    ):
        pass
