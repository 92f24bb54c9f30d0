"""Credentials: who sees and changes which, what a delegated token may do with them, and how they rest on the disk."""

import hashlib
import json
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import event, select
from starlette.testclient import TestClient

from pileus.identity.credentials import sealing
from pileus.identity.credentials.models import Credential
from pileus.identity.credentials.sealing import KeyInUse, Migrated, Sealer
from pileus.identity.settings import IdentitySettings
from pileus.identity.tokens import keys
from pileus.kernel.cloud import Cloud
from tests.identity.people import Caller, Json, log_in
from tests.identity.test_application_credentials import enter
from tests.identity.test_application_credentials import make as make_robot

SEED = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"


def pair(access: str = "AK", secret: str = "sesame", **more: str | None) -> str:
    return json.dumps({"access": access, "secret": secret, **more})


def make(caller: Caller, kind: str = "cert", blob: str = "blob", *, status: int = 201, **more: Any) -> Json:
    body = {"credential": {"type": kind, "blob": blob, "user_id": caller.user_id, **more}}
    reply: Json = caller.ask("POST", "/credentials", body, status=status)
    made: Json = reply.get("credential", reply)
    return made


def make_ec2(caller: Caller, access: str = "AK", *, status: int = 201, **more: Any) -> Json:
    given = {"project_id": caller.project_id} | more
    return make(caller, "ec2", given.pop("blob", pair(access)), status=status, **given)


def change(caller: Caller, made: Json, *, status: int = 200, **values: Any) -> Json:
    reply: Json = caller.ask("PATCH", f"/credentials/{made['id']}", {"credential": values}, status=status)
    return reply


def ids(caller: Caller, query: str = "") -> list[str]:
    return [row["id"] for row in caller.ask("GET", f"/credentials{query}")["credentials"]]


def someone(client: TestClient, admin: Caller, name: str, project: str, role: str = "member") -> Caller:
    """A new user with a role in a project, logged in there."""
    user = admin.ask("POST", "/users", {"user": {"name": name, "password": "pw"}}, status=201)["user"]["id"]
    role_id = admin.ask("GET", f"/roles?name={role}")["roles"][0]["id"]
    project_id = admin.ask("GET", f"/projects?name={project}")["projects"][0]["id"]
    admin.ask("PUT", f"/projects/{project_id}/users/{user}/roles/{role_id}", status=204)
    return log_in(client, name, "pw", project=project)


def test_life(demo: Caller) -> None:
    made = make(demo, colour="red")
    assert len(made["id"]) == 32
    expected = {"type": "cert", "blob": "blob", "user_id": demo.user_id, "project_id": None, "colour": "red"}
    link = {"self": f"http://127.0.0.1:8780/identity/v3/credentials/{made['id']}"}
    assert made == expected | {"id": made["id"], "links": link}
    path = f"/credentials/{made['id']}"
    assert demo.ask("GET", path)["credential"] == made
    assert change(demo, made, blob="new")["credential"] == made | {"blob": "new"}
    assert demo.ask("GET", "/credentials")["credentials"] == [made | {"blob": "new"}]
    demo.ask("DELETE", path, status=204)
    demo.ask("GET", path, status=403)


def test_an_ec2_credential_has_the_hash_of_its_access_key_as_id(admin: Caller) -> None:
    made = make_ec2(admin, "AKIA")
    assert made["id"] == hashlib.sha256(b"AKIA").hexdigest()
    assert made["blob"] == pair("AKIA")
    make_ec2(admin, "AKIA", status=409)
    changed = change(admin, made, blob=pair("NEW", "other"))["credential"]
    assert changed == made | {"blob": pair("NEW", "other")}
    make_ec2(admin, "NEW", status=409)
    make_ec2(admin, "AKIA", status=409)
    other = make_ec2(admin, "OTHER")
    change(admin, other, blob=pair("NEW"), status=409)
    change(admin, other, blob=pair("AKIA"), status=409)


@pytest.mark.parametrize(
    "blob",
    [
        "",
        "no JSON",
        "[]",
        "{}",
        '{"access": "a"}',
        '{"secret": "a"}',
        '{"access": 1, "secret": "b"}',
        pair("", "b"),
        "[",
    ],
)
def test_an_ec2_blob_is_a_key_pair(demo: Caller, blob: str) -> None:
    message = make_ec2(demo, blob=blob, status=400)["error"]["message"]
    assert "access" in message
    made = make_ec2(demo)
    change(demo, made, blob=blob, status=400)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"credential": {}},
        {"credential": {"type": "cert", "blob": "b"}},
        {"credential": {"type": "cert", "user_id": "u"}},
        {"credential": {"type": "", "blob": "b", "user_id": "u"}},
        {"credential": {"type": "cert", "blob": {"a": "b"}, "user_id": "u"}},
        {"credential": {"type": "cert", "blob": "b", "user_id": "u" * 65}},
        {"credential": {"type": "t" * 256, "blob": "b", "user_id": "u"}},
        {"credential": {"type": "cert", "blob": "b", "user_id": "u"}, "more": 1},
    ],
)
def test_bad_bodies(admin: Caller, body: Json) -> None:
    admin.ask("POST", "/credentials", body, status=400)


def test_bad_values(admin: Caller, demo: Caller) -> None:
    assert "project_id" in make_ec2(demo, project_id=None, status=400)["error"]["message"]
    assert "Base32" in make(demo, "totp", "0189", status=400)["error"]["message"]
    make(demo, "totp", SEED.lower() + " \n")
    make(admin, user_id="nobody", status=404)
    make(demo, user_id="nobody", status=403)
    make(demo, project_id="nowhere", status=404)
    make_ec2(admin, project_id="nowhere", status=404)
    make_ec2(admin, project_id="default", status=404)
    change(admin, {"id": "nothing"}, blob="b", status=404)
    change(demo, {"id": "nothing"}, blob="b", status=403)


def test_only_the_blob_can_change(admin: Caller, demo: Caller) -> None:
    """CVE-2020-12691: a credential that is handed to another user or project makes its maker that user."""
    made = make_ec2(demo)
    for caller in (demo, admin):
        change(caller, made, user_id=admin.user_id, status=400)
        change(caller, made, project_id=admin.project_id, status=400)
        change(caller, made, project_id=None, status=400)
        change(caller, made, type="totp", status=400)
    change(demo, made, user_id=demo.user_id, project_id=demo.project_id, type="ec2", blob=pair("B"))
    assert demo.ask("GET", f"/credentials/{made['id']}")["credential"] == made | {"blob": pair("B")}
    change(demo, make(demo), type="ec2", status=400)


@pytest.mark.parametrize("name", ["trust_id", "app_cred_id", "access_token_id", "access_id"])
def test_nobody_writes_a_delegation_into_a_blob(admin: Caller, name: str) -> None:
    make_ec2(admin, blob=pair(**{name: "x"}), status=400)
    made = make_ec2(admin, blob=pair("AK", "sesame", **{name: None}))
    assert json.loads(made["blob"]) == {"access": "AK", "secret": "sesame"}
    change(admin, made, blob=pair(**{name: "x"}), status=400)


def test_personas(client: TestClient, admin: Caller, demo: Caller) -> None:
    made = make(demo)
    path = f"/credentials/{made['id']}"
    stranger = someone(client, admin, "eve", "demo")
    assert admin.ask("GET", path)["credential"] == made
    assert ids(admin) == ids(demo) == [made["id"]]
    assert ids(stranger) == []
    assert ids(stranger, f"?user_id={demo.user_id}") == []
    for method in ("GET", "DELETE"):
        stranger.ask(method, path, status=403)
    change(stranger, made, blob="b", status=403)
    make(stranger, user_id=demo.user_id, status=403)
    reader = admin.ask("GET", "/roles?name=reader")["roles"][0]["id"]
    admin.ask("PUT", f"/system/users/{stranger.user_id}/roles/{reader}", status=204)
    auditor = log_in(client, "eve", "pw", system=True)
    assert ids(auditor) == [made["id"]]
    assert auditor.ask("GET", path)["credential"] == made
    auditor.ask("DELETE", path, status=403)
    change(auditor, made, blob="b", status=403)
    change(admin, made, blob="b")
    admin.ask("DELETE", path, status=204)
    admin.ask("GET", path, status=404)


def test_owners_make_ec2_credentials_for_the_project_they_are_in(
    client: TestClient, admin: Caller, demo: Caller
) -> None:
    """CVE-2020-12689 and what followed: no key pair for a project in which its user has no role."""
    make_ec2(demo, project_id=admin.project_id, status=403)
    unscoped = log_in(client, "demo", unscoped=True)
    make(unscoped, "ec2", pair(), project_id=demo.project_id, status=403)
    make(admin, "ec2", pair(), user_id=demo.user_id, project_id=demo.project_id)
    make(unscoped)


def test_filters_and_pages(cloud: Cloud, admin: Caller, demo: Caller) -> None:
    mine = sorted(make(demo, "cert" if i % 2 else "other")["id"] for i in range(5))
    make(admin)
    assert ids(admin, f"?user_id={demo.user_id}") == mine
    assert len(ids(admin, "?type=cert")) == 3
    assert len(ids(demo, f"?type=cert&user_id={demo.user_id}")) == 2
    first = demo.ask("GET", "/credentials?limit=2")
    assert [row["id"] for row in first["credentials"]] == mine[:2]
    assert first["links"]["next"].endswith(f"limit=2&marker={mine[1]}")
    assert ids(demo, f"?limit=9&marker={mine[1]}") == mine[2:]
    foreign = next(found for found in ids(admin) if found not in mine)
    demo.ask("GET", f"/credentials?marker={foreign}", status=400)
    statements: list[str] = []
    engine = cloud.db._reader
    event.listen(engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    demo.ask("GET", "/credentials")
    assert sum("FROM credentials" in statement for statement in statements) == 1


def settings(cloud: Cloud, **values: int) -> None:
    changed = msgspec.structs.replace(cloud.settings(IdentitySettings), **values)
    cloud.config._by_type[IdentitySettings] = changed


def test_a_user_has_so_many_and_no_more(cloud: Cloud, admin: Caller, demo: Caller) -> None:
    settings(cloud, user_credentials=2)
    make(demo)
    make(demo)
    assert "2 credentials" in make(demo, status=403)["error"]["message"]
    make_ec2(demo, status=403)
    make(admin, user_id=demo.user_id, status=403)
    make(admin)
    demo.ask("DELETE", f"/credentials/{ids(demo)[0]}", status=204)
    make(demo)


def test_credentials_go_with_their_user_and_project(admin: Caller, demo: Caller) -> None:
    make(demo)
    make_ec2(demo)
    admin.ask("DELETE", f"/projects/{demo.project_id}", status=204)
    assert len(ids(admin)) == 1
    admin.ask("DELETE", f"/users/{demo.user_id}", status=204)
    assert ids(admin) == []


def test_a_restricted_application_credential_changes_none_and_sees_none(client: TestClient, demo: Caller) -> None:
    """CVE-2026-33551."""
    mine = make_ec2(demo)
    robot = enter(client, make_robot(demo))
    assert ids(robot) == []
    robot.ask("GET", f"/credentials/{mine['id']}", status=403)
    robot.ask("DELETE", f"/credentials/{mine['id']}", status=403)
    change(robot, mine, blob=pair("x"), status=403)
    make_ec2(robot, "other", status=403)
    make(robot, status=403)


def test_an_unrestricted_one_keeps_to_its_own(client: TestClient, admin: Caller) -> None:
    """CVE-2026-43001: not for another project; nor, here, what was not made with it."""
    demo_id = admin.ask("GET", "/projects?name=demo")["projects"][0]["id"]
    mine = make_ec2(admin, "mine")
    credential = make_robot(admin, unrestricted=True, roles=[{"name": "member"}])
    robot = enter(client, credential)
    make_ec2(robot, "AK", project_id=demo_id, status=403)
    for kind, blob in (("totp", SEED), ("cert", "blob")):
        make(robot, kind, blob, project_id=admin.project_id, status=403)
    made = make_ec2(robot, "AK")
    stamp = {"app_cred_id": credential["id"]}
    assert json.loads(made["blob"]) == {"access": "AK", "secret": "sesame"} | stamp
    assert ids(robot) == [made["id"]]
    assert set(ids(admin)) == {made["id"], mine["id"]}
    robot.ask("GET", f"/credentials/{mine['id']}", status=403)
    robot.ask("DELETE", f"/credentials/{mine['id']}", status=403)
    change(robot, mine, blob=pair("x"), status=403)
    for blob in (pair("AK", "new"), pair("AK", "new", **stamp)):
        assert json.loads(change(robot, made, blob=blob)["credential"]["blob"]).items() >= stamp.items()
    change(admin, made, blob=pair("AK", app_cred_id="another"), status=400)
    stamped = change(admin, made, blob=pair("AK", "newer"))["credential"]["blob"]
    assert json.loads(stamped) == {"access": "AK", "secret": "newer"} | stamp
    robot.ask("DELETE", f"/credentials/{made['id']}", status=204)


def test_not_even_an_administrators_delegated_token_changes_others(
    client: TestClient, admin: Caller, demo: Caller
) -> None:
    theirs = make_ec2(demo)
    robot = enter(client, make_robot(admin, unrestricted=True))
    change(robot, theirs, blob=pair("AK", "known"), status=403)
    robot.ask("DELETE", f"/credentials/{theirs['id']}", status=403)
    make(robot, "ec2", pair("x"), user_id=demo.user_id, project_id=demo.project_id, status=403)


def rows(cloud: Cloud) -> list[Credential]:
    with cloud.db.reading() as db:
        return list(db.scalars(select(Credential).order_by(Credential.id)))


def test_no_secret_is_on_the_disk(cloud: Cloud, demo: Caller) -> None:
    make_ec2(demo, blob=pair("AK", "a-secret-that-is-easy-to-find"))
    with cloud.db.reading() as db:
        db.connection().exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    folder = cloud.config.state
    assert b"easy-to-find" not in b"".join(path.read_bytes() for path in (folder / "db").iterdir())
    assert (folder / sealing.FOLDER).stat().st_mode & 0o777 == 0o700


def primary(cloud: Cloud) -> str:
    return cloud.part(Sealer).seal("x").key_hash


def test_rotation(cloud: Cloud, demo: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pileus.identity.tokens.keys.time.monotonic", iter(range(10**6)).__next__)
    made = [make(demo, blob=f"blob {i}") for i in range(5)]
    first = primary(cloud)
    assert {row.key_hash for row in rows(cloud)} == {first}
    assert sealing.rotate(cloud, settled=60) is False, "not every process may know the staged key yet"
    assert sealing.rotate(cloud, settled=0) is True
    second = primary(cloud)
    assert second != first
    change(demo, made[0], blob="newer")
    assert {row.key_hash for row in rows(cloud)} == {first, second}
    before = sorted(path.name for path in (cloud.config.state / sealing.FOLDER).iterdir())
    with pytest.raises(KeyInUse, match="migrate"):
        sealing.rotate(cloud, settled=0)
    assert sorted(path.name for path in (cloud.config.state / sealing.FOLDER).iterdir()) == before
    assert sealing.migrate(cloud, batch=2) == Migrated(4, ())
    assert {row.key_hash for row in rows(cloud)} == {second}
    assert sealing.migrate(cloud) == Migrated(0, ())
    assert sealing.rotate(cloud, settled=0) is True
    blobs = {row["id"]: row["blob"] for row in demo.ask("GET", "/credentials")["credentials"]}
    assert blobs == {row["id"]: row["blob"] for row in made} | {made[0]["id"]: "newer"}
    with pytest.raises(ValueError, match="3 keys"):
        sealing.rotate(cloud, keep=2)


def test_rotation_drops_what_the_key_folder_drops(cloud: Cloud) -> None:
    """The forecast of what goes agrees with what does, for any number of keys, also after a rotation that was cut short."""
    folder = cloud.part(Sealer).folder
    cloud.part(Sealer).seal("x")
    for keep in (3, 5, 4, 3, 6, 6, 3):
        before = keys.numbers(folder)
        forecast = sealing._doomed(folder, keep)
        sealing.rotate(cloud, keep, settled=0)
        assert set(before) - set(keys.numbers(folder)) == set(forecast)
        (folder / "0").unlink()
        forecast = sealing._doomed(folder, 3)
        before = keys.numbers(folder)
        sealing.rotate(cloud, 3, settled=0)
        assert set(before) - set(keys.numbers(folder)) == set(forecast)


def test_a_lost_key_is_told_and_breaks_no_migration(cloud: Cloud, demo: Caller) -> None:
    lost, kept = sorted((make(demo), make(demo)), key=lambda row: str(row["id"]))
    with cloud.db.writing() as db:
        row = db.get(Credential, lost["id"])
        assert row is not None
        row.sealed, row.key_hash = "gAAAAA", "0" * 64
    assert sealing.migrate(cloud) == Migrated(0, (lost["id"],))
    assert lost["id"] in demo.ask("GET", f"/credentials/{lost['id']}", status=500)["error"]["message"]
    assert demo.ask("GET", f"/credentials/{kept['id']}")["credential"] == kept
    demo.ask("DELETE", f"/credentials/{lost['id']}", status=204)


def test_sealing_is_quick(cloud: Cloud) -> None:
    sealer = cloud.part(Sealer)
    text, key_hash = sealer.seal("x" * 200)
    row = Credential(id="c", sealed=text, key_hash=key_hash)
    start = time.perf_counter()
    for _ in range(100):
        assert sealer.open(row) == "x" * 200
    assert time.perf_counter() - start < 1


def test_a_process_follows_the_first_keys(tmp_path: Path) -> None:
    writer, reader = Sealer(tmp_path / "k"), Sealer(tmp_path / "k")
    text, key_hash = writer.seal("é\ud800")
    assert reader.open(Credential(id="c", sealed=text, key_hash=key_hash)) == "é\ud800"
    assert reader.decoy() == reader.decoy() != writer.decoy()
