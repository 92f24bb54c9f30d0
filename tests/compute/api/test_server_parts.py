"""What hangs below a server: metadata, tags, history, ports, volumes, migrations."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from pileus.compute.instance_actions.models import InstanceAction
from pileus.compute.servers.models import Server
from pileus.kernel import clock
from pileus.kernel.cloud import Cloud
from tests.compute.api.conftest import Caller, Maker

BELOW = ("metadata", "tags", "os-instance-actions", "os-interface", "os-volume_attachments")


@pytest.fixture
def path(server: Maker) -> str:
    return f"/servers/{server()}"


@pytest.mark.parametrize("part", BELOW)
def test_other_projects_servers_are_not_found(path: str, other: Caller, part: str) -> None:
    other.refused("GET", f"{path}/{part}", 404)


@pytest.mark.parametrize("part", BELOW)
def test_readers_and_administrators_read(path: str, reader: Caller, admin: Caller, part: str) -> None:
    assert reader.get(f"{path}/{part}") == admin.get(f"{path}/{part}")


def test_metadata(path: str, member: Caller, reader: Caller) -> None:
    at = f"{path}/metadata"
    assert member.get(at) == {"metadata": {}}
    assert member.post(at, {"metadata": {"a": "1", "b": "2"}}) == {"metadata": {"a": "1", "b": "2"}}
    assert member.post(at, {"metadata": {"b": "3"}}) == {"metadata": {"a": "1", "b": "3"}}
    assert member.put(f"{at}/c", {"meta": {"c": "4"}}) == {"meta": {"c": "4"}}
    assert reader.get(f"{at}/c") == {"meta": {"c": "4"}}
    member.delete(f"{at}/a")
    member.refused("DELETE", f"{at}/a", 404)
    reader.refused("GET", f"{at}/a", 404)
    assert member.put(at, {"metadata": {"z": ""}}) == {"metadata": {"z": ""}}
    assert reader.get(at) == {"metadata": {"z": ""}}


@pytest.mark.parametrize(
    ("method", "place", "body"),
    [
        ("POST", "", {"metadata": {"k": 1}}),
        ("POST", "", {"metadata": {"": "v"}}),
        ("POST", "", {"metadata": {"k" * 256: "v"}}),
        ("POST", "", {"metadata": {"k": "v" * 256}}),
        ("POST", "", {"metadata": None}),
        ("POST", "", {"meta": {}}),
        ("PUT", "/k", {"meta": {"other": "v"}}),
        ("PUT", "/k", {"meta": {"k": "v", "other": "v"}}),
        ("PUT", "/k", {"meta": {}}),
    ],
)
def test_bad_metadata(path: str, member: Caller, method: str, place: str, body: object) -> None:
    member.refused(method, f"{path}/metadata{place}", 400, body)


def test_metadata_has_a_quota(path: str, member: Caller, admin: Caller) -> None:
    admin.put("/os-quota-sets/p1", {"quota_set": {"metadata_items": 2}})
    member.post(f"{path}/metadata", {"metadata": {"a": "", "b": ""}})
    member.refused("POST", f"{path}/metadata", 403, {"metadata": {"c": ""}})
    admin.put("/os-quota-sets/p1", {"quota_set": {"metadata_items": 1}})
    member.put(f"{path}/metadata/a", {"meta": {"a": "changed"}})
    member.refused("PUT", f"{path}/metadata/c", 403, {"meta": {"c": ""}})
    member.put(f"{path}/metadata", {"metadata": {"c": ""}})


def test_a_lock_holds_for_metadata_and_tags(server: Maker, member: Caller, admin: Caller) -> None:
    path = f"/servers/{server(locked_by='admin')}"
    member.refused("POST", f"{path}/metadata", 409, {"metadata": {"a": "1"}})
    member.refused("PUT", f"{path}/tags/a", 409)
    admin.post(f"{path}/metadata", {"metadata": {"a": "1"}})


def test_tags(path: str, member: Caller, reader: Caller) -> None:
    at = f"{path}/tags"
    assert member.put(at, {"tags": ["b", "a", "b"]}) == {"tags": ["a", "b"]}
    member.put(f"{at}/c", status=201)
    member.put(f"{at}/c", status=204)
    assert reader.get(at) == {"tags": ["a", "b", "c"]}
    reader.get(f"{at}/a", 204)
    reader.refused("GET", f"{at}/d", 404)
    member.delete(f"{at}/a")
    member.refused("DELETE", f"{at}/a", 404)
    assert member.put(at, {"tags": ["c", "d"]}) == {"tags": ["c", "d"]}
    member.delete(at)
    assert reader.get(at) == {"tags": []}
    reader.refused("GET", at, 404, version="2.25")


def test_bad_tags(path: str, member: Caller) -> None:
    at = f"{path}/tags"
    for tags in (["a,b"], ["a/b"], [""], ["t" * 61], [1], "a", [str(n) for n in range(51)]):
        member.refused("PUT", at, 400, {"tags": tags})
    member.refused("PUT", f"{at}/a,b", 400)
    member.put(at, {"tags": [str(n) for n in range(50)]})
    assert "50" in member.refused("PUT", f"{at}/one-more", 400)


def test_readers_change_nothing(path: str, reader: Caller) -> None:
    reader.refused("POST", f"{path}/metadata", 403, {"metadata": {"a": "1"}})
    reader.refused("PUT", f"{path}/metadata/a", 403, {"meta": {"a": "1"}})
    reader.refused("DELETE", f"{path}/metadata/a", 403)
    reader.refused("PUT", f"{path}/tags/a", 403)
    reader.refused("DELETE", f"{path}/tags", 403)


@pytest.fixture
def history(cloud: Cloud, server: Maker) -> str:
    """A server's path; create succeeded, start is going on, stop failed: an hour between each."""
    server_id = server()
    now = clock.now().replace(microsecond=0)
    with cloud.db.writing() as db:
        for hours, action, result in ((2, "create", "Success"), (1, "stop", "Error"), (0, "start", None)):
            when = now - timedelta(hours=hours)
            db.add(
                InstanceAction(
                    server_id=server_id,
                    request_id=f"req-{action}",
                    action=action,
                    user_id="user-of-p1",
                    project_id="p1",
                    host="n1",
                    started_at=when,
                    updated_at=when,
                    finished_at=when if result else None,
                    result=result,
                    message="no room" if result == "Error" else None,
                )
            )
    return f"/servers/{server_id}/os-instance-actions"


def test_history(history: str, reader: Caller, admin: Caller, queries: Callable[[], Any]) -> None:
    actions = reader.get(history)["instanceActions"]
    assert [(a["action"], a["message"]) for a in actions] == [("start", None), ("stop", "Error"), ("create", None)]
    assert "updated_at" not in reader.get(history, version="2.57")["instanceActions"][0]
    with queries() as seen:
        first = reader.get(f"{history}?limit=2")
    assert len([s for s in seen if "FROM instance_actions" in s]) == 1
    link = first["links"][0]["href"].partition("/v2.1")[2]
    assert [a["action"] for a in reader.get(link)["instanceActions"]] == ["create"]
    reader.refused("GET", f"{history}?marker=req-none", 400)
    assert "events" not in reader.get(f"{history}/req-stop", version="2.50")["instanceAction"]
    (event,) = reader.get(f"{history}/req-stop")["instanceAction"]["events"]
    assert event["result"] == "Error"
    assert event["hostId"]
    assert not {"traceback", "host", "details"} & set(event)
    (event,) = admin.get(f"{history}/req-stop")["instanceAction"]["events"]
    assert (event["host"], event["details"], event["traceback"]) == ("n1", "no room", None)
    (event,) = reader.get(f"{history}/req-start")["instanceAction"]["events"]
    assert (event["result"], event["finish_time"]) == (None, None)
    reader.refused("GET", f"{history}/req-none", 404)


def test_history_in_time(history: str, reader: Caller) -> None:
    now = clock.now()
    since, before = (now - timedelta(minutes=90)).isoformat(), (now - timedelta(minutes=30)).isoformat()
    assert len(reader.get(f"{history}?changes-since={since}")["instanceActions"]) == 2
    actions = reader.get(f"{history}?changes-since={since}&changes-before={before}")["instanceActions"]
    assert [a["action"] for a in actions] == ["stop"]
    reader.refused("GET", f"{history}?changes-since={before}&changes-before={since}", 400)
    reader.refused("GET", f"{history}?changes-since=yesterday", 400)
    reader.refused("GET", f"{history}?colour=red", 400, version="2.58")


def test_nothing_is_attached(path: str, reader: Caller) -> None:
    assert reader.get(f"{path}/os-interface") == {"interfaceAttachments": []}
    assert reader.get(f"{path}/os-volume_attachments") == {"volumeAttachments": []}
    reader.refused("GET", f"{path}/os-interface/none", 404)
    reader.refused("GET", f"{path}/os-volume_attachments/none", 404)


def test_migrations(path: str, reader: Caller, admin: Caller) -> None:
    assert admin.get("/os-migrations") == {"migrations": []}
    assert admin.get(f"{path}/migrations") == {"migrations": []}
    admin.refused("GET", f"{path}/migrations/1", 404)
    admin.refused("DELETE", f"{path}/migrations/1", 404)
    admin.refused("POST", f"{path}/migrations/1/action", 404, {"force_complete": None})
    reader.refused("DELETE", f"{path}/migrations/1", 403)
    reader.refused("GET", "/os-migrations", 403)
    reader.refused("GET", f"{path}/migrations", 403)
    admin.refused("GET", "/os-migrations?colour=red", 400)


def test_metadata_changes_the_time_of_update(cloud: Cloud, path: str, member: Caller) -> None:
    with cloud.db.reading() as db:
        before = db.query(Server).one().updated_at
    member.post(f"{path}/metadata", {"metadata": {"a": "1"}})
    with cloud.db.reading() as db:
        assert db.query(Server).one().updated_at > before
