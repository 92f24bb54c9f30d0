"""Claims through placement's door: two who saw the same supply can not both have it."""

import threading

import pytest
from sqlalchemy import func, select

from pileus.kernel.cloud import Cloud
from pileus.placement import internal
from pileus.placement.allocations.models import Allocation, Consumer
from pileus.placement.internal import ClaimLost, Offer
from tests.placement.client import Client, new_uuid

HOST = new_uuid()


@pytest.fixture
def host(cloud: Cloud) -> str:
    with cloud.db.writing() as db:
        internal.sync_provider(db, HOST, "host1", {"VCPU": Offer(10)}, frozenset({"COMPUTE_NODE"}))
    return HOST


def take(cloud: Cloud, supply: internal.Supply, consumer: str, amount: int = 1) -> None:
    with cloud.db.writing() as db:
        internal.claim(db, supply, consumer, "p1", "u1", {"VCPU": amount})


def test_the_second_claim_on_one_generation_is_lost(cloud: Cloud, client: Client, host: str) -> None:
    with cloud.db.reading() as first, cloud.db.reading() as second:
        seen, seen_too = internal.supplies(first)[host], internal.supplies(second)[host]
    assert seen.generation == seen_too.generation
    winner, loser = new_uuid(), new_uuid()
    take(cloud, seen, winner)
    with pytest.raises(ClaimLost):
        take(cloud, seen_too, loser)
    held = client.get(f"/resource_providers/{host}/allocations")["allocations"]
    assert held == {winner: {"resources": {"VCPU": 1}, "consumer_generation": 0}}
    with cloud.db.reading() as db:
        assert db.get(Consumer, loser) is None
        assert internal.supplies(db)[host].stock["VCPU"].free == 9


def test_a_claim_is_lost_to_a_write_through_the_api(cloud: Cloud, client: Client, host: str) -> None:
    with cloud.db.reading() as db:
        seen = internal.supplies(db)[host]
    client.set_traits(host, "COMPUTE_NODE", "CUSTOM_NEW")
    with pytest.raises(ClaimLost):
        take(cloud, seen, new_uuid())


def test_many_claimants_never_take_more_than_there_is(cloud: Cloud, host: str) -> None:
    """Eight threads want three of ten each: three are served, and every other is refused for lack of stock."""
    won, refused = [], []

    def want() -> None:
        while True:
            with cloud.db.reading() as db:
                seen = internal.supplies(db)[host]
            if seen.shortage({"VCPU": 3}):
                refused.append(seen.generation)
                return
            try:
                take(cloud, seen, consumer := new_uuid(), 3)
            except ClaimLost:
                continue
            won.append(consumer)
            return

    threads = [threading.Thread(target=want) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert (len(won), len(refused)) == (3, 5)
    with cloud.db.reading() as db:
        assert db.scalar(select(func.sum(Allocation.used))) == 9


def test_what_was_claimed_is_seen_and_released_through_the_api(cloud: Cloud, client: Client, host: str) -> None:
    with cloud.db.reading() as db:
        seen = internal.supplies(db)[host]
    take(cloud, seen, consumer := new_uuid(), 4)
    shown = client.get(f"/allocations/{consumer}")
    assert shown["allocations"][host]["resources"] == {"VCPU": 4} and shown["consumer_type"] == "INSTANCE"
    assert client.get("/usages?project_id=p1")["usages"] == {"INSTANCE": {"consumer_count": 1, "VCPU": 4}}
    with cloud.db.writing() as db:
        internal.release(db, consumer)
    assert client.get(f"/allocations/{consumer}") == {"allocations": {}}
    assert client.get(f"/resource_providers/{host}/traits")["traits"] == ["COMPUTE_NODE"]
