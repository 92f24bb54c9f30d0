"""Sixteen at once for the last CPUs, pages and devices of a host: each part has one owner, whatever happens."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from pileus.compute.drivers.base import HostFacts
from pileus.compute.hosts import register
from pileus.compute.manifest import MANIFEST
from pileus.compute.scheduler.choose import NoValidHost, choose_and_claim
from pileus.compute.scheduler.request import Request
from pileus.compute.settings import ComputeSettings
from pileus.compute.topology import claims
from pileus.compute.topology import wish as wishes
from pileus.compute.topology.aliases import PciAlias
from pileus.compute.topology.hardware import Hardware
from pileus.compute.topology.models import ClaimedCpu, ClaimedDevice, GuestClaim
from pileus.kernel.cloud import Cloud
from pileus.kernel.db import new_id
from pileus.placement import internal as placement
from pileus.placement.allocations.models import Allocation
from tests import mariadb
from tests.cloud import cloud_of
from tests.compute.topology.hosts import card, machine

SETTINGS = ComputeSettings(pci_alias=[PciAlias("gpu", "10de")])


@pytest.fixture(scope="module", params=["sqlite", "mariadb"])
def cloud(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    folder: Path = tmp_path_factory.mktemp(request.param)
    if request.param == "sqlite":
        with cloud_of(folder, MANIFEST) as made:
            yield made
    else:
        with mariadb.running(folder) as url, cloud_of(folder, MANIFEST, overrides={"database": url}) as made:
            yield made


def a_host(cloud: Cloud, name: str, hardware: Hardware) -> str:
    facts = HostFacts("QEMU", 8002000, 64, 65536, 1000, {"arch": "x86_64"}, hardware=hardware)
    with cloud.db.writing() as db:
        return register.host(db, SETTINGS, name, "192.0.2.1", facts).id


def boot(cloud: Cloud, host: str, vcpus: int = 2, **specs: str) -> str:
    """A server on that host. Raises NoValidHost."""
    named = {"alias": "pci_passthrough:alias"}
    asked = {named.get(key, f"hw:{key}"): value for key, value in specs.items()}
    wish = wishes.of(SETTINGS, {"vcpus": vcpus, "ram": 512, "extra_specs": asked}, {})
    wanted = wishes.resources(wish, {"VCPU": vcpus, "MEMORY_MB": 512})
    request = Request(wanted, {}, asked, hardware=wish, host=host)
    server_id = new_id()
    cloud.db.transact(lambda db: choose_and_claim(db, SETTINGS, request, server_id, "p1", "u1"))
    return server_id


def race(cloud: Cloud, host: str, count: int = 16, **asked: Any) -> tuple[list[str], list[str]]:
    """Ids of the servers that were made, and why the others were not."""
    won: list[str] = []
    refused: list[str] = []
    wrong: list[BaseException] = []

    def run() -> None:
        try:
            won.append(boot(cloud, host, **asked))
        except NoValidHost as error:
            refused.append(error.summary)
        except BaseException as error:
            wrong.append(error)

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert not wrong
    assert len(won) + len(refused) == count
    return won, refused


def strays(cloud: Cloud, host_id: str, servers: list[str]) -> list[str]:
    """Of that host: the other tests' servers are there as well."""
    with cloud.db.reading() as db:
        rows = db.execute(select(GuestClaim.server_id, GuestClaim.host_id))
        mine = {server: host for server, host in rows if host != host_id or server in servers}
        return claims.strays(db, mine)


def held(cloud: Cloud, host_id: str) -> list[int]:
    with cloud.db.reading() as db:
        return sorted(db.scalars(select(ClaimedCpu.cpu).where(ClaimedCpu.host_id == host_id)))


def test_the_last_cpus(cloud: Cloud) -> None:
    host_id = a_host(cloud, "pins", machine(cells=2, cpus=4))
    won, refused = race(cloud, "pins", cpu_policy="dedicated")
    assert len(won) == 4
    assert held(cloud, host_id) == list(range(8))
    assert strays(cloud, host_id, won) == []
    assert len(refused) == 12
    with pytest.raises(NoValidHost, match=r"has no NUMA cell with 2 free dedicated CPUs \(NUMATopologyFilter\)"):
        boot(cloud, "pins", cpu_policy="dedicated")


def test_the_last_devices(cloud: Cloud) -> None:
    host_id = a_host(cloud, "cards", machine(shared=4, devices=tuple(card(number) for number in range(1, 6))))
    won, _ = race(cloud, "cards", alias="gpu:1", vcpus=1)
    assert len(won) == 5
    assert strays(cloud, host_id, won) == []
    with cloud.db.reading() as db:
        taken = db.scalars(select(ClaimedDevice.address).where(ClaimedDevice.host_id == host_id)).all()
    assert len(set(taken)) == 5
    with pytest.raises(NoValidHost, match=r"lacks 1 PCI device gpu \(PciPassthroughFilter\)"):
        boot(cloud, "cards", alias="gpu:1")


def test_the_last_pages(cloud: Cloud) -> None:
    a_host(cloud, "pages", machine(cells=1, cpus=8, shared=8))
    won, _ = race(cloud, "pages", mem_page_size="2MB", vcpus=1)
    assert len(won) == 2, "512 pages of 2 MiB are 1024 MiB"


def test_what_goes_gives_everything_back(cloud: Cloud) -> None:
    host_id = a_host(cloud, "back", machine(cells=1, cpus=2, devices=(card(1),)))
    for _ in range(3):
        server_id = boot(cloud, "back", cpu_policy="dedicated", alias="gpu:1")
        assert held(cloud, host_id) == [0, 1]
        with cloud.db.writing() as db:
            placement.release(db, server_id)
            claims.release(db, server_id)
        assert held(cloud, host_id) == []


def test_a_refused_boot_leaves_nothing(cloud: Cloud) -> None:
    a_host(cloud, "none", machine(cells=1, cpus=2))
    with cloud.db.reading() as db:
        before = [db.scalar(select(func.count()).select_from(m)) for m in (GuestClaim, ClaimedCpu, Allocation)]
    with pytest.raises(NoValidHost):
        boot(cloud, "none", vcpus=3, cpu_policy="dedicated")
    with cloud.db.reading() as db:
        assert before == [db.scalar(select(func.count()).select_from(m)) for m in (GuestClaim, ClaimedCpu, Allocation)]


def test_a_claim_on_what_has_changed_is_lost(cloud: Cloud) -> None:
    host_id = a_host(cloud, "moved", machine(cells=1, cpus=4))
    with cloud.db.reading() as db:
        room = claims.rooms(db, [host_id])[host_id]
    a_host(cloud, "moved", machine(cells=1, cpus=4))
    with cloud.db.writing() as db:
        assert claims.rooms(db, [host_id])[host_id].generation == room.generation, "the same again changes nothing"
    a_host(cloud, "moved", machine(cells=1, cpus=4, shared=2))
    with cloud.db.writing() as db:
        assert not claims.reserve(db, host_id, room)
        assert claims.reserve(db, host_id, claims.rooms(db, [host_id])[host_id])


def test_inventory_by_the_sets(cloud: Cloud) -> None:
    host_id = a_host(cloud, "sets", machine(cells=2, cpus=4, shared=1))
    with cloud.db.reading() as db:
        stock = placement.supplies(db, [host_id])[host_id].stock
    assert (stock["PCPU"].total, stock["PCPU"].allocation_ratio) == (6, 1.0)
    assert (stock["VCPU"].total, stock["VCPU"].allocation_ratio) == (2, 16.0)
    a_host(cloud, "sets", machine(cells=2, cpus=4, shared=4))
    with cloud.db.reading() as db:
        assert set(placement.supplies(db, [host_id])[host_id].stock) == {"VCPU", "MEMORY_MB", "DISK_GB"}


def test_the_audit_sees_what_must_not_be(cloud: Cloud) -> None:
    host_id = a_host(cloud, "audit", machine(cells=1, cpus=4))
    server_id = boot(cloud, "audit", cpu_policy="dedicated")
    assert strays(cloud, host_id, [server_id]) == []
    assert strays(cloud, host_id, []) == [f"hardware claim of unknown server {server_id} on host {host_id}"]
    with cloud.db.writing() as db:
        facts = db.scalars(select(GuestClaim.facts).where(GuestClaim.server_id == server_id)).one()
        db.add(GuestClaim(server_id="twin", host_id=host_id, facts=facts))
        db.add(ClaimedCpu(host_id=host_id, cpu=3, server_id="ghost"))
    found = strays(cloud, host_id, [server_id, "twin"])
    assert len(found) == 3
    assert any("CPU 0" in line and "is held by servers" in line for line in found)
    assert f"CPU 3 of host {host_id} is noted for server ghost and given to None" in found
    with cloud.db.writing() as db:
        claims.release(db, "twin")
        claims.release(db, "ghost")
