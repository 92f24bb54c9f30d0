"""Requests and workers in the same moment, on each database: one wins, nobody gets a 500, nothing is left."""

from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.testclient import TestClient

from pileus.image import audit
from pileus.image.data.sweep import sweep
from pileus.image.images.models import Image
from pileus.image.imports import run
from pileus.image.stores.registry import STAGING
from pileus.image.tasks.models import Task
from pileus.kernel import clock
from pileus.kernel.cloud import Cloud
from pileus.kernel.http.app import App
from tests.image.api.conftest import IMAGE, JSON
from tests.image.api.people import ADMIN, IMAGES, change, make, show, upload
from tests.image.imports.conftest import Web
from tests.image.imports.test_locations import point
from tests.image.imports.walks import ask, files, stage, tasks
from tests.placement.test_races import together

DATA = b"guest" * 1000
OWNER = {"x-auth-token": "racer:member,reader"}
ROUNDS = 4
MIB = 1 << 20
Act = Callable[[TestClient], int]


@pytest.fixture(autouse=True)
def tidy(client: TestClient, cloud: Cloud) -> Iterator[None]:
    yield
    end(cloud)
    for image in client.get(f"{IMAGES}?visibility=all", headers=ADMIN).json()["images"]:
        assert client.delete(f"{IMAGES}/{image['id']}", headers=ADMIN).status_code == 204
    sweep(cloud)
    assert set(files(cloud).values()) == {0}
    with cloud.db.reading() as db:
        assert audit.stuck(db) == []


def end(cloud: Cloud) -> None:
    """All tasks come to their end, however often they were put off."""
    for _ in range(run.MOST_STARTS + 1):
        cloud.db.transact(_all_due)
        run.reconciler(cloud, parallel=1).round()
    with cloud.db.reading() as db:
        assert {task.status for task in db.scalars(select(Task))} <= {"success", "failure"}


def _all_due(db: Session) -> None:
    for task in db.scalars(select(Task).where(Task.retry_at.is_not(None))):
        task.retry_at, task.lease_until = clock.now(), None


def at_once(cloud: Cloud, *acts: Act) -> list[int]:
    """Each with an application and an event loop of its own, as in processes beside each other."""

    def as_client(act: Act) -> int:
        with TestClient(App(cloud, [IMAGE]), raise_server_exceptions=False, headers=JSON) as client:
            return act(client)

    return together(*(partial(as_client, act) for act in acts))


def create(client: TestClient, wish: dict[str, str], who: dict[str, str] = OWNER) -> int:
    return client.post(IMAGES, json=wish, headers=who).status_code


def delete(client: TestClient, image_id: str) -> int:
    return client.delete(f"{IMAGES}/{image_id}", headers=OWNER).status_code


def to_qcow2(client: TestClient, image_id: str) -> int:
    return change(client, image_id, {"op": "replace", "path": "/disk_format", "value": "qcow2"}, who=OWNER)


def statuses(cloud: Cloud, *acts: Act) -> Counter[int]:
    return Counter(at_once(cloud, *acts))


def test_one_of_several_uploads_wins(cloud: Cloud, client: TestClient) -> None:
    for _ in range(ROUNDS):
        image_id = make(client, OWNER)["id"]
        sends = [partial(upload, image_id=image_id, data=DATA, who=OWNER)] * 4
        assert statuses(cloud, *sends) == {204: 1, 409: 3}
        assert show(client, image_id, OWNER)["status"] == "active"


def test_an_upload_and_a_stage(cloud: Cloud, client: TestClient) -> None:
    for _ in range(ROUNDS):
        image_id = make(client, OWNER)["id"]
        found = statuses(
            cloud,
            partial(upload, image_id=image_id, data=DATA, who=OWNER),
            partial(stage, image_id=image_id, data=DATA, who=OWNER),
        )
        assert found == {204: 1, 409: 1}
        assert show(client, image_id, OWNER)["status"] in ("active", "uploading")


def test_an_upload_and_a_deletion(cloud: Cloud, client: TestClient) -> None:
    for _ in range(ROUNDS):
        image_id = make(client, OWNER)["id"]
        sent, deleted = at_once(
            cloud,
            partial(upload, image_id=image_id, data=DATA, who=OWNER),
            partial(delete, image_id=image_id),
        )
        assert deleted == 204 and sent in (204, 404, 410)


def test_two_claims_of_one_id(cloud: Cloud, client: TestClient) -> None:
    for number in range(ROUNDS):
        wish = {"id": f"0000000{number}-0000-4000-8000-00000000000a", "name": "x"}
        makes = [partial(create, wish=wish)] * 3
        assert statuses(cloud, *makes) == {201: 1, 409: 2}


def test_one_of_several_imports_wins(cloud: Cloud, client: TestClient, web: Web) -> None:
    url = web.url("/disk", DATA)
    for _ in range(ROUNDS):
        image_id = make(client, OWNER)["id"]
        imports: list[Act] = [partial(ask, image_id=image_id, method="web-download", who=OWNER, uri=url)] * 3
        imports += [
            partial(point, image_id=image_id, url=url, who=OWNER),
            partial(stage, image_id=image_id, data=DATA, who=OWNER),
        ]
        found = statuses(cloud, *imports)
        assert found[202] + found[204] == 1 and found[409] == 4
        end(cloud)
        assert len(tasks(client, image_id, OWNER)) == found[202]


def test_an_import_and_a_change_of_format(cloud: Cloud, client: TestClient, web: Web) -> None:
    """What is looked at is what the image says: the change is before the import, or it is refused."""
    url = web.url("/disk", DATA)
    for _ in range(ROUNDS):
        image_id = make(client, OWNER)["id"]
        asked, changed = at_once(
            cloud,
            partial(ask, image_id=image_id, method="web-download", who=OWNER, uri=url),
            partial(to_qcow2, image_id=image_id),
        )
        assert asked == 202 and changed in (200, 403)
        end(cloud)
        image = show(client, image_id, OWNER)
        assert (image["disk_format"], image["status"]) == (("qcow2", "queued") if changed == 200 else ("raw", "active"))


def test_an_import_and_a_deletion(cloud: Cloud, client: TestClient) -> None:
    for _ in range(ROUNDS):
        image_id = make(client, OWNER)["id"]
        stage(client, image_id, DATA, OWNER)
        asked, deleted = at_once(
            cloud,
            partial(ask, image_id=image_id, method="glance-direct", who=OWNER),
            partial(delete, image_id=image_id),
        )
        assert deleted == 204 and asked in (202, 404)
    end(cloud)


def test_two_workers_and_one_task(cloud: Cloud, client: TestClient) -> None:
    image_id = make(client, OWNER)["id"]
    stage(client, image_id, DATA, OWNER)
    ask(client, image_id, "glance-direct", OWNER)
    workers = [run.reconciler(cloud, parallel=1).round] * 3
    assert sum(together(*workers)) == 1
    assert show(client, image_id, OWNER)["status"] == "active"
    with cloud.db.reading() as db:
        assert db.scalars(select(Task.attempts).where(Task.image_id == image_id)).all() == [1]


def test_workers_with_many_tasks(cloud: Cloud, client: TestClient, web: Web) -> None:
    """Reads, ends and new requests beside each other: what deadlocks is done again."""
    url = web.url("/disk", DATA)
    people = [{"x-auth-token": f"crowd{number}:member,reader"} for number in range(3)]
    images = [(make(client, who)["id"], who) for who in people for _ in range(4)]
    for image_id, who in images:
        assert ask(client, image_id, "web-download", who, uri=url, all_stores=True) == 202
    workers = [lambda c: run.reconciler(cloud, parallel=1).round()] * 4

    def look(c: TestClient) -> int:
        for image_id, who in images:
            assert change(c, image_id, {"op": "add", "path": "/seen", "value": "x"}, who=who) == 200
            assert c.get(IMAGES, headers=who).status_code == 200
        return 0

    assert sum(at_once(cloud, *workers, look)) == len(images)
    for image_id, who in images:
        image = show(client, image_id, who)
        assert (image["status"], image["stores"], image["seen"]) == ("active", "file,second", "x")


def test_two_copies_into_one_store(cloud: Cloud, client: TestClient) -> None:
    for _ in range(ROUNDS):
        image_id = make(client, OWNER)["id"]
        upload(client, image_id, DATA, OWNER)
        copies = [partial(ask, image_id=image_id, method="copy-image", who=ADMIN, stores=["second"])] * 3
        assert statuses(cloud, *copies) == {202: 1, 409: 2}
        together(*[run.reconciler(cloud, parallel=1).round] * 2)
        assert show(client, image_id, OWNER)["stores"] == "file,second"
        assert client.delete(f"{IMAGES}/{image_id}", headers=OWNER).status_code == 204


def test_a_deletion_while_workers_read(cloud: Cloud, client: TestClient, web: Web) -> None:
    url = web.url("/disk", DATA)
    for _ in range(ROUNDS):
        image_id = make(client, OWNER)["id"]
        ask(client, image_id, "web-download", OWNER, uri=url)
        _, deleted = at_once(
            cloud,
            lambda c: run.reconciler(cloud, parallel=1).round(),
            partial(delete, image_id=image_id),
        )
        assert deleted == 204
    end(cloud)
    sweep(cloud)
    assert files(cloud) == {"file": 0, "second": 0, STAGING: 0}


def test_quotas_hold_for_all_who_come_at_once(cloud: Cloud, client: TestClient, web: Web) -> None:
    """By uploads, by imports, by requests: 2014-5356."""
    who = {"x-auth-token": "greedy:member,reader"}
    images = [make(client, who)["id"] for _ in range(6)]
    found = Counter(at_once(cloud, *[partial(upload, image_id=i, data=b"x" * 2 * MIB, who=who) for i in images[:3]]))
    assert found == {204: 1, 413: 2}
    url = web.url("/big", b"x" * MIB)
    more = [make(client, who)["id"] for _ in range(3)]
    found = Counter(
        at_once(cloud, *[partial(ask, image_id=i, method="web-download", who=who, uri=url) for i in images[3:] + more])
    )
    assert found == {202: 5, 413: 1}, "five at a time"
    together(*[run.reconciler(cloud, parallel=1).round] * 4)
    end(cloud)
    usage = client.get("/image/v2/info/usage", headers=who).json()["usage"]
    assert usage["image_size_total"] == {"limit": 3, "usage": 3}
    assert usage["image_count_uploading"]["usage"] == 0
    for _ in range(17):
        at_once(cloud, *[partial(create, wish={"name": "x"}, who=who)] * 4)
    with cloud.db.reading() as db:
        assert len(db.scalars(select(Image.id).where(Image.owner == "greedy")).all()) == 60
