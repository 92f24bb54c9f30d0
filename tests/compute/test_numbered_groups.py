"""Flavors with `resources1:…`: what parts of a host give is claimed there, once."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from pileus.compute.drivers.base import HostFacts
from pileus.compute.hosts import register
from pileus.compute.manifest import MANIFEST
from pileus.compute.scheduler.choose import NoValidHost, choose_and_claim
from pileus.compute.scheduler.request import Request
from pileus.compute.settings import ComputeSettings
from pileus.kernel.cloud import Cloud
from pileus.kernel.db import new_id
from pileus.placement import audit, internal
from pileus.placement.allocations.models import Allocation
from pileus.placement.providers.models import Inventory, Provider, ProviderTrait
from tests.cloud import cloud_of

GPU = "CUSTOM_GPU"


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[Cloud]:
    """Hosts n1, n2, n3; below n2 two providers of two GPUs each, the second with the trait CUSTOM_FAST."""
    with cloud_of(tmp_path, MANIFEST) as cloud:
        with cloud.db.writing() as db:
            for name in ("n1", "n2", "n3"):
                facts = HostFacts("QEMU", 8002000, 4, 8192, 100)
                host = register.host(db, cloud.settings(ComputeSettings), name, "192.0.2.1", facts).id
                for part in ("slow", "fast") if name == "n2" else ():
                    db.add(Provider(id=part, name=part, root_id=host, parent_id=host))
                    db.flush()
                    db.add(Inventory(provider_id=part, resource_class=GPU, total=2, max_unit=2))
            db.add(ProviderTrait(provider_id="fast", trait="CUSTOM_FAST"))
        yield cloud
        with cloud.db.reading() as db:
            assert audit.overfull(db) == []


def want(cloud: Cloud, extra_specs: Mapping[str, str]) -> dict[str, dict[str, int]]:
    """What a new server got of each provider; the host's own by its name."""
    request, server = Request({"VCPU": 1}, {}, extra_specs), new_id()

    def work(db: Any) -> dict[str, dict[str, int]]:
        host = choose_and_claim(db, ComputeSettings(), request, server, "p1", "u1")
        got: dict[str, dict[str, int]] = {}
        for row in db.scalars(select(Allocation).where(Allocation.consumer_id == server)):
            got.setdefault(host.name if row.provider_id == host.id else row.provider_id, {})[row.resource_class] = (
                row.used
            )
        return got

    return cloud.db.transact(work)


def test_a_part_below_the_host_gives(cloud: Cloud) -> None:
    fast = {f"resources1:{GPU}": "1", "trait1:CUSTOM_FAST": "required"}
    assert want(cloud, fast) == {"n2": {"VCPU": 1}, "fast": {GPU: 1}}
    slow = {f"resources1:{GPU}": "2", "trait1:CUSTOM_FAST": "forbidden"}
    assert want(cloud, slow) == {"n2": {"VCPU": 1}, "slow": {GPU: 2}}
    with pytest.raises(NoValidHost, match=f"3 hosts: 3 has no parts that give 2 {GPU}"):
        want(cloud, slow)
    assert want(cloud, fast) == {"n2": {"VCPU": 1}, "fast": {GPU: 1}}
    with pytest.raises(NoValidHost, match=f"3 has no parts that give 1 {GPU}"):
        want(cloud, fast)


def test_groups_of_their_own_providers(cloud: Cloud) -> None:
    two = {f"resources1:{GPU}": "1", f"resources2:{GPU}": "1"}
    assert want(cloud, two | {"group_policy": "isolate"}) == {"n2": {"VCPU": 1}, "slow": {GPU: 1}, "fast": {GPU: 1}}
    assert sum(given.get(GPU, 0) for given in want(cloud, two).values()) == 2
    with pytest.raises(NoValidHost, match=f"has no parts that give 1 {GPU}, 1 {GPU}, 1 {GPU}"):
        want(cloud, {**two, f"resources3:{GPU}": "1", "group_policy": "isolate"})


def test_the_host_itself_may_be_the_part(cloud: Cloud) -> None:
    got = want(cloud, {"resources1:VCPU": "2"})
    assert list(got.values()) == [{"VCPU": 3}]


def test_a_part_that_changed_meanwhile_is_lost_with_the_claim(cloud: Cloud) -> None:
    parts = internal.numbered({f"resources1:{GPU}": "1", "trait1:CUSTOM_FAST": "required"})
    assert parts is not None
    with cloud.db.writing() as db:
        supply = next(supply for supply in internal.supplies(db).values() if supply.name == "n2")
        layout = internal.layouts(db, [supply.provider_id], {"VCPU": 1}, parts)[supply.provider_id]
        db.get_one(Provider, "fast").generation += 1
        with pytest.raises(internal.ClaimLost):
            internal.claim(db, supply, "c1", "p1", "u1", {"VCPU": 1}, layout)
        assert list(db.scalars(select(Allocation))) == []


def test_a_host_goes_with_its_parts_once_nobody_has_any(cloud: Cloud) -> None:
    want(cloud, {f"resources1:{GPU}": "1"})
    with cloud.db.writing() as db:
        server = db.scalar(select(Allocation.consumer_id))
        host = db.scalar(select(Provider.root_id).where(Provider.id == "slow"))
        assert host is not None and server is not None
        assert not internal.forget_provider(db, host)
        internal.release(db, server)
        assert internal.forget_provider(db, host)
        assert set(db.scalars(select(Provider.name))) == {"n1", "n3"}


def test_only_hosts_that_may_have_the_parts_are_looked_at(cloud: Cloud) -> None:
    for amount, names in ((2, [{"n2"}]), (3, [])):
        parts = internal.numbered({f"resources1:{GPU}": str(amount)})
        with cloud.db.reading() as db:
            portions = internal.fitting(db, {"VCPU": 1}, parts=parts)
            assert [{supply.name for supply in portion} for portion in portions] == names


def test_what_is_no_group() -> None:
    assert internal.numbered({"resources:VCPU": "1", "trait1:CUSTOM_X": "required", "resources1:VCPU": "0"}) is None
