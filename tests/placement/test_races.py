"""Writers of one provider at once, on SQLite and on MariaDB: no capacity is given twice, nothing is a 500."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TypeVar

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from starlette.testclient import TestClient

from pileus.kernel.cloud import Cloud
from pileus.kernel.http.app import App
from pileus.placement import internal
from pileus.placement.allocations.models import Allocation, Consumer
from pileus.placement.internal import ClaimLost, Offer
from tests import mariadb
from tests.cloud import cloud_of
from tests.placement.client import Client, claim, new_uuid
from tests.placement.conftest import PLACEMENT

T = TypeVar("T")
ROUNDS = 6
CONFLICT = (409, "placement.concurrent_update")


@pytest.fixture(scope="module", params=["sqlite", "mariadb"])
def cloud(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    folder: Path = tmp_path_factory.mktemp(request.param)
    if request.param == "sqlite":
        with cloud_of(folder, PLACEMENT) as made:
            yield made
    else:
        with mariadb.running(folder) as url, cloud_of(folder, PLACEMENT, overrides={"database": url}) as made:
            yield made


def client_of(cloud: Cloud) -> Client:
    return Client(TestClient(App(cloud, [PLACEMENT]), raise_server_exceptions=False))


@pytest.fixture
def client(cloud: Cloud) -> Client:
    return client_of(cloud)


def together(*works: Callable[[], T]) -> list[T]:
    """What each returned, after all began in one moment. An exception of one is raised."""
    ready = threading.Barrier(len(works), timeout=30)

    def run(work: Callable[[], T]) -> T:
        ready.wait()
        return work()

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(run, works, timeout=60))


def host(cloud: Cloud, vcpus: int) -> str:
    made = new_uuid()
    offer(cloud, made, vcpus)
    return made


def offer(cloud: Cloud, provider: str, vcpus: int) -> int:
    """What was used in the moment in which the host got this size."""

    def work(db: Session) -> int:
        internal.sync_provider(db, provider, provider, {"VCPU": Offer(vcpus)}, frozenset())
        return used(db, provider)

    return cloud.db.transact(work)


def used(db: Session, provider: str) -> int:
    return int(db.scalar(select(func.sum(Allocation.used)).where(Allocation.provider_id == provider)) or 0)


def used_now(cloud: Cloud, provider: str) -> int:
    with cloud.db.reading() as db:
        return used(db, provider)


def take(cloud: Cloud, provider: str, amount: int) -> str | None:
    """The consumer of a claim; None when there is not enough, or nothing at all. Raises ClaimLost."""
    with cloud.db.reading() as db:
        seen = internal.supplies(db, [provider]).get(provider)
    if seen is None or seen.shortage({"VCPU": amount}):
        return None
    consumer = new_uuid()
    cloud.db.transact(lambda db: internal.claim(db, seen, consumer, "p1", "u1", {"VCPU": amount}))
    return consumer


def take_all(cloud: Cloud, provider: str) -> int:
    """Claim one after the other until there is no more: how many."""
    won = 0
    while True:
        try:
            if take(cloud, provider, 1) is None:
                return won
        except ClaimLost:
            continue
        won += 1


def test_a_shrinking_host_gives_no_more_than_it_has_left(cloud: Cloud) -> None:
    for _ in range(ROUNDS):
        provider = host(cloud, 40)
        shrink = partial(offer, cloud, provider, 1)
        at, *won = together(shrink, *[partial(take_all, cloud, provider)] * 4)
        assert used_now(cloud, provider) == sum(won) == max(at, 1)


def test_a_new_consumer_has_one_maker(cloud: Cloud) -> None:
    def put(provider: str, consumer: str) -> tuple[int, str]:
        reply = client_of(cloud).ask("PUT", f"/allocations/{consumer}", claim((provider, {"VCPU": 3})))
        return reply.status_code, reply.json()["errors"][0]["code"] if reply.content else ""

    for _ in range(ROUNDS):
        provider = host(cloud, 40)
        replies = together(*[partial(put, provider, new_uuid())] * 6)
        assert Counter(replies) == Counter({(204, ""): 1, CONFLICT: 5})
        assert used_now(cloud, provider) == 3


def test_claims_by_both_doors_and_releases_never_exceed_the_capacity(cloud: Cloud) -> None:
    provider = host(cloud, 8)
    seen: list[int] = []

    def over_http() -> Counter[int]:
        client, statuses = client_of(cloud), Counter[int]()
        for _ in range(8):
            path = f"/allocations/{new_uuid()}"
            statuses[client.status("PUT", path, claim((provider, {"VCPU": 2})))] += 1
            seen.append(used_now(cloud, provider))
            statuses[client.status("DELETE", path)] += 1
        return statuses

    def inside() -> Counter[int]:
        for _ in range(8):
            try:
                consumer = take(cloud, provider, 3)
            except ClaimLost:
                continue
            seen.append(used_now(cloud, provider))
            if consumer is not None:
                cloud.db.transact(partial(internal.release, consumer_id=consumer))
        return Counter()

    statuses: Counter[int] = sum(together(*[over_http] * 3, *[inside] * 3), Counter())
    assert statuses.keys() <= {204, 404, 409} and statuses[204]
    assert 0 < max(seen) <= 8 and used_now(cloud, provider) == 0
    with cloud.db.reading() as db:
        held = select(Allocation.consumer_id)
        idle = select(Consumer.id).where(Consumer.id.not_in(held))
        assert db.scalars(idle).all() == [], "a consumer without allocations"


@pytest.mark.parametrize("over_http", [True, False])
def test_a_provider_that_goes_takes_no_claim_with_it(cloud: Cloud, over_http: bool) -> None:
    def away(provider: str) -> int:
        if over_http:
            return 0 if client_of(cloud).status("DELETE", f"/resource_providers/{provider}") == 204 else 1
        return 0 if cloud.db.transact(partial(internal.forget_provider, provider_id=provider)) else 1

    for _ in range(ROUNDS):
        provider = host(cloud, 3)
        held, *won = together(partial(away, provider), *[partial(take_all, cloud, provider)] * 2)
        assert sum(won) == used_now(cloud, provider) == 3 * held


def test_the_reshaper_among_claims(cloud: Cloud, client: Client) -> None:
    """Half of a host's processors move below it, with the allocation on them, while others claim the rest."""
    for _ in range(ROUNDS):
        provider, consumer = host(cloud, 10), new_uuid()
        child = client.provider(new_uuid(), provider)
        assert client.status("PUT", f"/allocations/{consumer}", claim((provider, {"VCPU": 5}))) == 204

        def reshape(provider: str, child: str, consumer: str) -> int:
            own = client_of(cloud)
            for _ in range(100):
                parts = {
                    key: {"resource_provider_generation": own.generation(key), "inventories": {"VCPU": {"total": 5}}}
                    for key in (provider, child)
                }
                moved = {consumer: claim((child, {"VCPU": 5}), generation=1)}
                reply = own.ask("POST", "/reshaper", {"inventories": parts, "allocations": moved})
                if reply.status_code == 204:
                    return 0
                status, code = reply.status_code, reply.json()["errors"][0]["code"]
                assert (status, code) == CONFLICT, reply.text
            raise AssertionError("the reshaper never had its turn")

        _, *won = together(partial(reshape, provider, child, consumer), *[partial(take_all, cloud, provider)] * 2)
        assert (used_now(cloud, child), used_now(cloud, provider)) == (5, 5)
        assert sum(won) == 5


def test_two_moves_make_no_circle(cloud: Cloud, client: Client) -> None:
    def under(provider: str, parent: str) -> int:
        body = {"name": provider, "parent_provider_uuid": parent}
        return client_of(cloud).status("PUT", f"/resource_providers/{provider}", body)

    for _ in range(ROUNDS):
        one, other = host(cloud, 1), host(cloud, 1)
        statuses = together(partial(under, one, other), partial(under, other, one))
        assert statuses.count(200) == 1 and set(statuses) <= {200, 400, 409}
        tree = client.get(f"/resource_providers?in_tree={one}")["resource_providers"]
        assert {entry["uuid"] for entry in tree} == {one, other}
        assert len({entry["root_provider_uuid"] for entry in tree}) == 1
