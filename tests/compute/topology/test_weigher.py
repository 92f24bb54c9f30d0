"""The weigher `pci`: hosts with devices are for those who want some, and the ones with many for those who want many."""

from dataclasses import replace

from pileus.compute.hosts.models import Host
from pileus.compute.scheduler.request import Request
from pileus.compute.scheduler.state import HostState
from pileus.compute.scheduler.weighers import weigh
from pileus.compute.settings import ComputeSettings
from pileus.compute.topology.aliases import PciAlias
from pileus.compute.topology.room import Room
from pileus.compute.topology.wish import of
from pileus.placement.internal import Supply
from tests.compute.topology.hosts import card, machine

SETTINGS = ComputeSettings(pci_alias=[PciAlias("gpu", "10de")])


def state(name: str, devices: int) -> HostState:
    room = Room(machine(devices=tuple(card(number) for number in range(devices))))
    host = Host(id=name, name=name, hypervisor_version=1, failed_builds=0, pci_devices=devices, metrics={})
    return HostState(host, Supply(name, name, 1, {}, frozenset()), room=room)


def best(states: list[HostState], alias: str = "") -> str:
    asked = {"pci_passthrough:alias": alias}
    hardware = of(SETTINGS, {"vcpus": 1, "ram": 64, "extra_specs": asked}, {})
    weights = weigh(SETTINGS, Request({}, {}, asked, hardware=hardware), states)
    assert len(set(weights)) == len(weights)
    return states[weights.index(max(weights))].host.name


def test_who_gets_which_host() -> None:
    none, one, many = state("none", 0), state("one", 1), state("many", 4)
    assert best([many, one, none]) == "none"
    assert best([many, one], alias="gpu:1") == "one"
    taken = many._replace(
        room=replace(many.room or Room(machine()), devices=frozenset({"0000:00:00.0", "0000:01:00.0"}))
    )
    assert best([state("three", 3), taken], alias="gpu:2") == "many", "what is free counts"
