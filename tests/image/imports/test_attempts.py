"""Stores that are away for a while, and tasks that kill their workers."""

from collections.abc import Callable

import pytest
from sqlalchemy import update
from starlette.testclient import TestClient

from pileus.image.data import lease
from pileus.image.drivers.base import DataKey, StoreFailed
from pileus.image.drivers.file import FileSink, FileStore
from pileus.image.imports import importing, run
from pileus.image.imports.errors import ImportFailed
from pileus.image.imports.job import Job
from pileus.image.imports.watch import Watch
from pileus.image.stores.registry import STAGING, Stores
from pileus.image.tasks.models import Task
from pileus.kernel import clock
from pileus.kernel.cloud import Cloud
from tests.image.api.people import make, show
from tests.image.imports.walks import ask, files, stage, tasks

Work = Callable[[], int]


def again(cloud: Cloud) -> None:
    """The time until the next attempt, and the leases of dead workers, are over."""
    with cloud.db.writing() as db:
        db.execute(update(Task).where(Task.retry_at.is_not(None)).values(retry_at=clock.now(), lease_until=None))


@pytest.fixture
def away(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> Callable[[bool], None]:
    """Says whether the store named second is away."""
    gone = {"second": False}
    create = FileStore.create

    def refused(self: FileStore, key: DataKey) -> FileSink:
        if gone.get(self.name):
            raise StoreFailed("it does not answer")
        return create(self, key)

    monkeypatch.setattr(FileStore, "create", refused)
    return lambda state: gone.update(second=state)


@pytest.mark.parametrize("back", [True, False])
def test_a_store_that_is_away(
    client: TestClient, cloud: Cloud, work: Work, away: Callable[[bool], None], back: bool
) -> None:
    image_id = make(client)["id"]
    stage(client, image_id, b"data")
    ask(client, image_id, "glance-direct", all_stores=True)
    away(True)
    work()
    assert (show(client, image_id)["status"], tasks(client, image_id)[0]["status"]) == ("importing", "processing")
    assert work() == 0  # not before its time
    away(not back)
    for _ in range(run.MOST_STARTS):
        again(cloud)
        work()
    if back:
        assert (show(client, image_id)["stores"], tasks(client, image_id)[0]["status"]) == ("file,second", "success")
    else:
        assert (show(client, image_id)["status"], tasks(client, image_id)[0]["status"]) == ("queued", "failure")
    assert files(cloud) == {"file": int(back), "second": int(back), STAGING: 0}


def test_one_store_may_fail(client: TestClient, cloud: Cloud, work: Work, away: Callable[[bool], None]) -> None:
    image_id = make(client)["id"]
    stage(client, image_id, b"data")
    ask(client, image_id, "glance-direct", all_stores=True, all_stores_must_succeed=False)
    away(True)
    work()
    image = show(client, image_id)
    assert (image["status"], image["stores"], image["os_glance_failed_import"]) == ("active", "file", "second")
    assert {store.name for store in cloud.part(Stores).writable()} == {"file", "second"}
    assert files(cloud) == {"file": 1, "second": 0, STAGING: 0}


def test_a_task_that_kills_its_workers_ends(
    client: TestClient, cloud: Cloud, work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    def kill(*_args: object) -> str:
        raise Killed

    image_id = make(client)["id"]
    stage(client, image_id, b"data")
    ask(client, image_id, "glance-direct")
    monkeypatch.setitem(run.JOBS, "api_image_import", (kill, importing.undo))
    for _ in range(run.MOST_STARTS):
        again(cloud)
        with pytest.raises(Killed):
            work()
    again(cloud)
    work()
    assert (show(client, image_id)["status"], tasks(client, image_id)[0]["status"]) == ("queued", "failure")
    assert files(cloud) == {"file": 0, "second": 0, STAGING: 0}


def test_a_worker_that_was_taken_for_dead(
    client: TestClient, cloud: Cloud, work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It comes back after the next one has done the work: nothing that it says counts."""
    image_id = make(client)["id"]
    stage(client, image_id, b"data")
    ask(client, image_id, "glance-direct")
    real = importing.work

    def overtaken(cloud: Cloud, watch: Watch, job: Job) -> str:
        monkeypatch.setitem(run.JOBS, "api_image_import", (real, importing.undo))
        again(cloud)
        assert work() == 1
        raise ImportFailed("too late")

    monkeypatch.setitem(run.JOBS, "api_image_import", (overtaken, importing.undo))
    work()
    assert (show(client, image_id)["status"], tasks(client, image_id)[0]["status"]) == ("active", "success")
    assert files(cloud) == {"file": 1, "second": 0, STAGING: 0}


def test_data_that_is_still_on_its_way_is_not_imported(client: TestClient, cloud: Cloud) -> None:
    image_id = make(client)["id"]
    with cloud.db.writing() as db:
        assert lease.claim(db, image_id, STAGING, 60) is not None
    assert show(client, image_id)["status"] == "uploading" and ask(client, image_id, "glance-direct") == 409
