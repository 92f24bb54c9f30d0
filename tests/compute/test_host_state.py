"""What the scheduler knows of a host beside its room: read from rows as the API, the agent and the reconciler leave them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.orm import Session

from pileus.compute.drivers.base import HostFacts
from pileus.compute.guests.models import Guest
from pileus.compute.hosts import register
from pileus.compute.manifest import MANIFEST
from pileus.compute.scheduler.state import HostState, read, with_images
from pileus.compute.servers import reconcile
from pileus.compute.servers.models import Server
from pileus.compute.settings import ComputeSettings, HostOverrides
from pileus.kernel import clock
from pileus.placement import internal as placement
from tests.cloud import cloud_of


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Session]:
    """One transaction, with a host n1 that nothing runs on."""
    with cloud_of(tmp_path, MANIFEST) as cloud, cloud.db.writing() as db:
        facts = HostFacts("QEMU", 8002000, 4, 8192, 100)
        register.host(db, cloud.settings(ComputeSettings), "n1", "192.0.2.1", facts)
        yield db


def server(db: Session, **more: Any) -> Server:
    """Settled and active unless told otherwise."""
    sizes = {"name": "m1.nano", "vcpus": 1, "ram": 128, "disk": 1, "ephemeral": 0, "swap": 0, "extra_specs": {}}
    usual = {"observed_generation": 1, "launched_at": clock.now()}
    row = Server(
        project_id="p1",
        user_id="u1",
        name="web",
        hostname="web",
        reservation_id="r-1",
        flavor_id="42",
        flavor=sizes,
        host="n1",
        host_id=state(db).host.id,
        **{**usual, **more},
    )
    db.add(row)
    db.flush()
    return row


def state(db: Session) -> HostState:
    db.expire_all()
    (found,) = read(db, placement.supplies(db).values())
    return found


@pytest.mark.parametrize(
    ("more", "io_ops"),
    [
        ({}, 0),
        ({"launched_at": None}, 1),
        ({"launched_at": None, "fault": {"message": "broken"}}, 0),
        ({"verb": "rebuild", "observed_generation": 0}, 1),
        ({"verb": "rebuild"}, 0),
        ({"verb": "stop", "observed_generation": 0}, 0),
    ],
)
def test_building_and_rebuilding_work_the_disks(db: Session, more: dict[str, Any], io_ops: int) -> None:
    server(db)
    server(db, **more)
    assert (state(db).servers, state(db).io_ops) == (2, io_ops)


def built(db: Session, row: Server, state: str, fault: dict[str, Any] | None = None) -> None:
    guest = Guest(server_id=row.id, host="n1", state=state, generation=1, fault=fault)
    if fault is None:
        reconcile.settle(db, row, guest)
    else:
        reconcile.fail(db, row, guest)
    db.flush()


def test_failed_builds_are_counted_until_one_succeeds(db: Session) -> None:
    new = {"launched_at": None, "observed_generation": 0}
    for _ in range(2):
        built(db, server(db, **new), "stopped", {"message": "no"})
    assert state(db).host.failed_builds == 2
    built(db, server(db, verb="stop", observed_generation=0), "running", {"message": "no"})
    assert state(db).host.failed_builds == 2, "a server that was built and now can not be stopped is no failed build"
    built(db, server(db, verb="stop", observed_generation=0), "stopped")
    assert state(db).host.failed_builds == 2, "nor is one that could be stopped a build"
    built(db, server(db, **new), "running")
    assert state(db).host.failed_builds == 0


def test_image_properties_are_read_when_asked_for(db: Session) -> None:
    server(db, image={"properties": {"os_distro": "debian"}})
    server(db)
    assert state(db).images == ()
    (found,) = with_images(db, [state(db)])
    assert sorted(found.images, key=len) == [{}, {"os_distro": "debian"}]


def test_one_host_may_offer_otherwise_than_the_others(db: Session) -> None:
    settings = ComputeSettings(host_overrides={"n2": HostOverrides(cpu_allocation_ratio=2.0, reserved_memory_mb=4096)})
    for name in ("n2", "n3"):
        register.host(db, settings, name, "192.0.2.1", HostFacts("QEMU", 8002000, 4, 8192, 100))
    offered = {supply.name: supply.stock for supply in placement.supplies(db).values()}
    assert [offered[name]["VCPU"].allocation_ratio for name in ("n2", "n3")] == [2.0, 16.0]
    assert [offered[name]["MEMORY_MB"].reserved for name in ("n2", "n3")] == [4096, 512]
    assert offered["n2"]["MEMORY_MB"].allocation_ratio == 1.5
