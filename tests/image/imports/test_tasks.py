"""The tasks API, for administrators."""

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import update
from starlette.testclient import TestClient

from pileus.image.stores.registry import STAGING
from pileus.image.tasks import sealing
from pileus.image.tasks.actions import forget
from pileus.image.tasks.models import Task
from pileus.kernel import clock
from pileus.kernel.cloud import Cloud
from pileus.kernel.http.call import Json
from tests.image.api.people import ADMIN, IMAGES, MEMBER, OTHER, make, show
from tests.image.formats.disks import qcow2
from tests.image.imports.conftest import Web
from tests.image.imports.walks import ask, files, tasks

TASKS = "/image/v2/tasks"
Work = Callable[[], int]


def wish(url: str, **properties: object) -> Json:
    asked = {"import_from": url, "import_from_format": "qcow2", "image_properties": {"name": "made", **properties}}
    return {"type": "import", "input": asked}


def test_an_image_that_a_task_makes(client: TestClient, web: Web, work: Work) -> None:
    reply = client.post(TASKS, json=wish(web.url("/disk", qcow2()), visibility="public"), headers=ADMIN)
    assert reply.status_code == 201 and reply.headers["location"].endswith(reply.json()["self"])
    task_id = reply.json()["id"]
    assert (reply.json()["status"], reply.json()["result"]) == ("pending", None)
    assert client.delete(f"{TASKS}/{task_id}", headers=ADMIN).status_code == 403
    work()
    task = client.get(f"{TASKS}/{task_id}", headers=ADMIN).json()
    image = show(client, task["result"]["image_id"])
    assert (task["status"], image["status"], image["name"], image["disk_format"]) == (
        "success",
        "active",
        "made",
        "qcow2",
    )
    assert client.delete(f"{TASKS}/{task_id}", headers=ADMIN).status_code == 204
    assert client.get(f"{TASKS}/{task_id}", headers=ADMIN).status_code == 404


def test_a_task_that_fails_leaves_no_image(client: TestClient, cloud: Cloud, web: Web, work: Work) -> None:
    task = client.post(TASKS, json=wish(web.url("/nothing")), headers=ADMIN).json()
    work()
    assert client.get(f"{TASKS}/{task['id']}", headers=ADMIN).json()["status"] == "failure"
    assert client.get(IMAGES, headers=ADMIN).json()["images"] == []
    assert files(cloud) == {"file": 0, "second": 0, STAGING: 0}


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"type": "import"},
        {"type": "export", "input": {"import_from": "http://a/", "import_from_format": "raw", "image_properties": {}}},
        wish("file:///etc/passwd"),
        wish("http://169.254.169.254/latest"),
        wish("http://example.org/", visibility="odd"),
        wish("http://example.org/") | {"surprise": 1},
    ],
)
def test_bad_wishes(client: TestClient, body: Json) -> None:
    assert client.post(TASKS, json=body, headers=ADMIN).status_code == 400
    assert client.get(TASKS, headers=ADMIN).json()["tasks"] == []


def test_who_sees_tasks(client: TestClient, web: Web) -> None:
    image_id = make(client)["id"]
    ask(client, image_id, "web-download", uri=web.url("/x"))
    [task] = tasks(client, image_id)
    assert client.get(f"{IMAGES}/{image_id}/tasks", headers=OTHER).status_code == 404
    assert client.get(TASKS, headers=MEMBER).status_code == 403
    assert client.get(f"{TASKS}/{task['id']}", headers=OTHER).status_code == 404
    assert client.get(f"{TASKS}/{task['id']}", headers=ADMIN).json()["image_id"] == image_id


def test_the_list(client: TestClient, web: Web, work: Work) -> None:
    made = [client.post(TASKS, json=wish(web.url("/x", qcow2())), headers=ADMIN).json()["id"] for _ in range(3)]
    work()
    page = client.get(f"{TASKS}?limit=2&sort_key=created_at&sort_dir=asc", headers=ADMIN).json()
    rest = client.get(f"/image{page['next']}", headers=ADMIN).json()
    assert [task["id"] for task in page["tasks"] + rest["tasks"]] == made
    assert "input" not in page["tasks"][0] and page["schema"] == "/v2/schemas/tasks"
    for query, count in (("status=success", 3), ("status=failure", 0), ("type=import", 3)):
        assert len(client.get(f"{TASKS}?{query}", headers=ADMIN).json()["tasks"]) == count
    assert client.get(f"{TASKS}?marker=nothing", headers=ADMIN).status_code == 400


def test_old_tasks_are_forgotten(client: TestClient, cloud: Cloud, web: Web, work: Work) -> None:
    for _ in range(2):
        client.post(TASKS, json=wish(web.url("/x", qcow2())), headers=ADMIN)
    work()
    kept, old = (task["id"] for task in client.get(TASKS, headers=ADMIN).json()["tasks"])
    with cloud.db.writing() as db:
        db.execute(update(Task).where(Task.id == old).values(expires_at=clock.after(-1)))
    forget(cloud)
    assert [task["id"] for task in client.get(TASKS, headers=ADMIN).json()["tasks"]] == [kept]


def test_tokens_are_sealed(cloud: Cloud, tmp_path: Path) -> None:
    sealed = sealing.seal(cloud, "a token")
    assert "a token" not in sealed and sealing.unseal(cloud, sealed) == "a token"
    key = tmp_path / "image-keys" / "tasks"
    assert key.stat().st_mode & 0o777 == 0o600 and len(list(key.parent.iterdir())) == 1
    key.unlink()
    assert sealing.unseal(cloud, sealed) is None and sealing.unseal(cloud, None) is None
