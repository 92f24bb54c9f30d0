"""Many hosts, many who want them at once: nobody gets what is not there, and nobody is refused what is."""

import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from pileus.compute.drivers.base import HostFacts
from pileus.compute.hosts import register
from pileus.compute.manifest import MANIFEST
from pileus.compute.scheduler import choose
from pileus.compute.scheduler.choose import NoValidHost, choose_and_claim, explain
from pileus.compute.scheduler.request import Request
from pileus.compute.scheduler.verdicts import summarise
from pileus.compute.server_groups.membership import GroupFacts
from pileus.compute.settings import ComputeSettings
from pileus.kernel.cloud import Cloud
from pileus.kernel.db import new_id
from pileus.placement import internal as placement
from pileus.placement.allocations.models import Allocation
from tests import mariadb
from tests.cloud import cloud_of


@pytest.fixture(scope="module", params=["sqlite", "mariadb"])
def cloud(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    folder: Path = tmp_path_factory.mktemp(request.param)
    if request.param == "sqlite":
        with cloud_of(folder, MANIFEST) as made:
            yield made
    else:
        with mariadb.running(folder) as url, cloud_of(folder, MANIFEST, overrides={"database": url}) as made:
            yield made


@pytest.fixture(autouse=True)
def few_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choose, "ENOUGH", 5)


def hosts(cloud: Cloud, prefix: str, count: int, vcpus: int = 1) -> None:
    with cloud.db.writing() as db:
        for i in range(count):
            facts = HostFacts("QEMU", 8002000, vcpus, 8192, 100, {"arch": "x86_64"})
            register.host(db, cloud.settings(ComputeSettings), f"{prefix}{i}", "192.0.2.1", facts)
        settled = {f"{prefix}{i}" for i in range(count)}
        for supply in placement.supplies(db).values():
            if supply.name in settled:
                offers = {name: placement.Offer(stock.total) for name, stock in supply.stock.items()}
                placement.sync_provider(db, supply.provider_id, supply.name, offers, supply.traits)


def want(cloud: Cloud, vcpus: int = 1, weights: dict[str, float] | None = None, **more: Any) -> str | None:
    """The host that a new server got."""
    request = Request({"VCPU": vcpus, "MEMORY_MB": 128}, {}, {}, **more)
    settings = ComputeSettings(scheduler_weights=weights) if weights else cloud.settings(ComputeSettings)
    try:
        return cloud.db.transact(lambda db: choose_and_claim(db, settings, request, new_id(), "p1", "u1").name)
    except NoValidHost:
        return None


def test_sixty_four_race_for_ten_places(cloud: Cloud) -> None:
    hosts(cloud, "race", 10)
    with cloud.db.reading() as db:
        before = db.scalar(select(func.coalesce(func.sum(Allocation.used), 0))) or 0
    won: list[str | None] = []
    wrong: list[BaseException] = []

    def run() -> None:
        try:
            won.append(want(cloud))
        except BaseException as error:
            wrong.append(error)

    threads = [threading.Thread(target=run) for _ in range(64)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
    assert not wrong
    assert len(won) == 64
    assert Counter(won) == Counter({None: 54} | {f"race{i}": 1 for i in range(10)})
    with cloud.db.reading() as db:
        assert db.scalar(select(func.sum(Allocation.used))) == before + 10 * (1 + 128)


def test_the_one_host_with_room_is_found_among_many(cloud: Cloud) -> None:
    hosts(cloud, "small", 70, vcpus=1)
    hosts(cloud, "large", 1, vcpus=4)
    assert want(cloud, 4) == "large0"
    assert want(cloud, 4) is None
    with cloud.db.reading() as db:
        verdicts = explain(db, cloud.settings(ComputeSettings), Request({"VCPU": 4}, {}, {}))
    assert {verdict.check for verdict in verdicts} == {"Placement"}
    said = next(verdict for verdict in verdicts if verdict.host == "small3")
    assert str(said) == "small3: lacks 4 VCPU: it gives at most 1 at once (Placement)"
    summary = summarise(verdicts)
    assert "lacks 4 VCPU (Placement)" in summary, "hosts are alike in what they lack, whatever they have"
    assert "small3" not in summary and "at most" not in summary


def test_a_named_host_is_looked_for_by_name(cloud: Cloud) -> None:
    hosts(cloud, "named", 20, vcpus=2)
    assert [want(cloud, host="named7") for _ in range(3)] == ["named7", "named7", None]
    assert want(cloud, same_hosts=frozenset({"named8", "absent"})) == "named8"
    assert want(cloud, host="named8", same_hosts=frozenset({"named9"})) is None


def test_a_host_that_is_begun_is_filled_when_that_is_wanted_however_many_there_are(cloud: Cloud) -> None:
    hosts(cloud, "pack", 60, vcpus=8)
    packing = {"ram": -1.0, "cpu": -1.0, "disk": -1.0}
    first = want(cloud, 4, packing)
    assert want(cloud, 4, packing) == first
    assert want(cloud, 4, packing) not in (None, first)


def test_servers_that_like_each_other_meet_however_many_hosts_there_are(cloud: Cloud) -> None:
    hosts(cloud, "near", 60, vcpus=16)
    group = GroupFacts("soft-affinity", {"near7": 1})
    assert [want(cloud, 8, group=group) for _ in range(2)] == ["near7", "near7"]
    other = want(cloud, 16, group=group)
    assert other not in (None, "near7"), "soft: another host when that one is full"
    named = "near8" if other != "near8" else "near9"
    assert want(cloud, 16, group=group, host=named) == named
