"""How passwords are kept."""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

import msgspec
import pytest
from argon2 import PasswordHasher
from sqlalchemy import Engine, event, select
from starlette.testclient import TestClient

from pileus.identity.passwords import rules
from pileus.identity.passwords.hashing import Hasher
from pileus.identity.passwords.models import FailedLogins, Password
from pileus.identity.settings import IdentitySettings
from pileus.identity.tokens.payload import now_ms
from pileus.identity.users import activity
from pileus.identity.users.models import User
from pileus.kernel import clock
from pileus.kernel.cloud import Cloud
from pileus.kernel.config import ConfigError
from tests.identity.conftest import QUICK
from tests.identity.people import PASSWORDS, Caller, Json, auth_body, log_in


def test_the_recommended_strength() -> None:
    stored = Hasher(IdentitySettings()).hash("s3cret")
    assert stored.startswith("$argon2id$v=19$m=19456,t=2,p=1$")


def test_no_stored_hash_costs_a_verification_and_never_matches(monkeypatch: pytest.MonkeyPatch) -> None:
    hasher = Hasher(IdentitySettings(password_memory=8, password_passes=1))
    hasher.verify(None, "x")
    verified: list[str] = []
    real = PasswordHasher.verify

    def count(self: PasswordHasher, stored: str, given: bytes) -> bool:
        verified.append(stored)
        return real(self, stored, given)

    monkeypatch.setattr(PasswordHasher, "verify", count)
    assert not hasher.verify(None, "x")
    assert len(verified) == 1


def test_equal_texts_are_equal_passwords() -> None:
    hasher = Hasher(IdentitySettings(password_memory=8, password_passes=1))
    assert hasher.verify(hasher.hash("cafe\u0301"), "caf\u00e9")
    assert not hasher.verify(hasher.hash("a" * 4096), "a" * 4097)
    assert not hasher.verify("not a hash", "x")


def test_only_hashes_are_stored_and_nothing_is_logged_or_returned(
    cloud: Cloud, client: TestClient, admin: Caller, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    secret = "very-secret-words"
    made = admin.ask("POST", "/users", {"user": {"name": "kim", "password": secret}}, status=201)
    log_in(client, "kim", secret)
    client.post("/identity/v3/auth/tokens", json=auth_body("kim", secret + "x"))
    client.post("/identity/v3/auth/tokens", json={"auth": {"password": secret}})
    changed = admin.ask("PATCH", f"/users/{made['user']['id']}", {"user": {"password": secret + "2"}})
    listed = admin.ask("GET", "/users")
    with cloud.db.reading() as db:
        stored = db.scalar(select(Password.hash).where(Password.user_id == made["user"]["id"]))
    assert stored is not None
    assert stored.startswith("$argon2id$")
    for text in (str(made), str(changed), str(listed), caplog.text, stored):
        assert secret not in text
    assert "password" not in changed["user"]


def test_changing_ones_own(client: TestClient, demo: Caller, admin: Caller) -> None:
    path = f"/users/{demo.user_id}/password"
    demo.ask("POST", path, {"user": {"original_password": "wrong", "password": "new-1"}}, status=401)
    demo.ask("POST", path, {"user": {"original_password": PASSWORDS["demo"]}}, status=400)
    demo.ask("POST", path, {"user": {"original_password": PASSWORDS["demo"], "password": ""}}, status=400)
    unknown = client.post(
        "/identity/v3/users/nobody/password", json={"user": {"original_password": "x", "password": "y"}}
    )
    assert unknown.status_code == 401
    admin.ask("PATCH", f"/users/{demo.user_id}", {"user": {"options": {"lock_password": True}}})
    demo.ask("POST", path, {"user": {"original_password": PASSWORDS["demo"], "password": "new-1"}}, status=403)
    admin.ask("PATCH", f"/users/{demo.user_id}", {"user": {"options": {"lock_password": None}}})
    demo.ask("POST", path, {"user": {"original_password": PASSWORDS["demo"], "password": "new-1"}}, status=204)
    assert client.post("/identity/v3/auth/tokens", json=auth_body("demo")).status_code == 401
    log_in(client, "demo", "new-1")


def test_a_password_can_be_taken_away(client: TestClient, admin: Caller, demo: Caller) -> None:
    admin.ask("PATCH", f"/users/{demo.user_id}", {"user": {"password": None}})
    assert client.post("/identity/v3/auth/tokens", json=auth_body("demo")).status_code == 401
    demo.ask("GET", "/auth/projects", status=401)


def stricter(cloud: Cloud, **changes: int | str) -> None:
    """Put the settings that a test is about in place of the defaults."""
    settings = msgspec.structs.replace(QUICK, **changes)
    cloud.config._by_type[IdentitySettings] = settings


def try_login(client: TestClient, password: str) -> int:
    return int(client.post("/identity/v3/auth/tokens", json=auth_body("demo", password)).status_code)


def test_too_many_wrong_passwords_lock_a_user(
    cloud: Cloud, client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    stricter(cloud, lockout_attempts=2, lockout_seconds=5)
    good = PASSWORDS["demo"]
    assert [try_login(client, p) for p in ("x", good, "x", good)] == [401, 201, 401, 201], "not in a row"
    assert [try_login(client, p) for p in ("x", "x", good)] == [401, 401, 401]
    locked = client.post("/identity/v3/auth/tokens", json=auth_body("demo"))
    unknown = client.post("/identity/v3/auth/tokens", json=auth_body("nobody", "x"))
    assert locked.text == unknown.text
    later = now_ms() + 5000
    monkeypatch.setattr("pileus.identity.passwords.lockout.now_ms", lambda: later)
    assert [try_login(client, p) for p in ("x", good)] == [401, 201]


def test_some_users_are_never_locked(cloud: Cloud, client: TestClient, admin: Caller, demo: Caller) -> None:
    stricter(cloud, lockout_attempts=1)
    options = {"user": {"options": {"ignore_lockout_failure_attempts": True}}}
    admin.ask("PATCH", f"/users/{demo.user_id}", options)
    assert [try_login(client, p) for p in ("x", "x", PASSWORDS["demo"])] == [401, 401, 201]


def test_the_last_passwords_can_not_be_chosen_again(cloud: Cloud, demo: Caller) -> None:
    stricter(cloud, password_history=2)
    first = present = PASSWORDS["demo"]
    for chosen, status in ((first, 400), ("one", 204), (first, 400), ("one", 400), ("two", 204), (first, 204)):
        body = {"user": {"original_password": present, "password": chosen}}
        reply = demo.client.post(f"/identity/v3/users/{demo.user_id}/password", json=body)
        assert (chosen, reply.status_code) == (chosen, status)
        present = chosen if status == 204 else present


def change(caller: Caller, old: str, new: str, status: int = 204) -> str:
    body = {"user": {"original_password": old, "password": new}}
    reply = caller.client.post(f"/identity/v3/users/{caller.user_id}/password", json=body)
    assert reply.status_code == status, reply.text
    return reply.text


def set_row(cloud: Cloud, model: type[User] | type[Password], user_id: str, **values: object) -> None:
    with cloud.db.writing() as db:
        row = db.get(model, user_id)
        assert row is not None
        for name, value in values.items():
            setattr(row, name, value)


def patch(admin: Caller, user_id: str, **changes: object) -> Json:
    shown: Json = admin.ask("PATCH", f"/users/{user_id}", {"user": changes})["user"]
    return shown


def test_guessing_by_the_change_of_a_password_locks_too(cloud: Cloud, client: TestClient, demo: Caller) -> None:
    stricter(cloud, lockout_attempts=2)
    for _ in range(2):
        change(demo, "x", "y", 401)
    change(demo, PASSWORDS["demo"], "y", 401)
    assert try_login(client, PASSWORDS["demo"]) == 401


def test_an_administrator_may_choose_any_earlier_password(cloud: Cloud, admin: Caller, demo: Caller) -> None:
    stricter(cloud, password_history=3)
    patch(admin, demo.user_id, password="other")
    patch(admin, demo.user_id, password=PASSWORDS["demo"])
    change(demo, PASSWORDS["demo"], "other", 400)


def test_form_of_new_passwords(cloud: Cloud, admin: Caller, demo: Caller) -> None:
    stricter(cloud, password_regex=r"^(?=.*\d).{7,}$", password_regex_description="seven characters and a digit")
    assert "seven characters and a digit" in change(demo, PASSWORDS["demo"], "short1", 400)
    admin.ask("POST", "/users", {"user": {"name": "kim", "password": "no-digit"}}, status=400)
    admin.ask("PATCH", f"/users/{demo.user_id}", {"user": {"password": "no-digit"}}, status=400)
    change(demo, PASSWORDS["demo"], "long-enough-1")
    assert admin.ask("GET", "/users?name=kim")["users"] == []


def test_an_expression_that_is_none_stops_the_start() -> None:
    with pytest.raises(ConfigError, match="password_regex"):
        rules.check_settings(IdentitySettings(password_regex="("))


def test_a_password_that_was_chosen_is_kept_for_a_while(cloud: Cloud, admin: Caller, demo: Caller) -> None:
    stricter(cloud, password_minimum_days=2)
    change(demo, PASSWORDS["demo"], "one")
    change(demo, "one", "two", 400)
    set_row(cloud, Password, demo.user_id, created_at=clock.now() - timedelta(days=2))
    change(demo, "one", "two")
    patch(admin, demo.user_id, password="given")
    change(demo, "given", "mine")


def test_an_expired_password_is_only_good_for_changing_it(
    cloud: Cloud, client: TestClient, admin: Caller, demo: Caller
) -> None:
    stricter(cloud, password_expires_days=3)
    assert demo.body["user"]["password_expires_at"] is None, "set before the rule"
    shown = patch(admin, demo.user_id, password="given")["password_expires_at"]
    ends = datetime.strptime(shown, "%Y-%m-%dT%H:%M:%S.%fZ")
    assert timedelta(days=2.9) < ends - clock.now() < timedelta(days=3.1)
    live = log_in(client, "demo", "given", project="demo")
    assert live.body["user"]["password_expires_at"] == shown
    set_row(cloud, User, demo.user_id, password_expires_at=clock.now())
    refused = client.post("/identity/v3/auth/tokens", json=auth_body("demo", "given"))
    assert refused.status_code == 401
    assert f"needs to be changed for user: {demo.user_id}." in refused.text
    wrong = client.post("/identity/v3/auth/tokens", json=auth_body("demo", "wrong"))
    assert "expired" not in wrong.text
    change(demo, "given", "mine")
    log_in(client, "demo", "mine")


def test_some_passwords_never_expire(cloud: Cloud, admin: Caller, demo: Caller) -> None:
    stricter(cloud, password_expires_days=3)
    assert patch(admin, demo.user_id, password="given")["password_expires_at"]
    assert patch(admin, demo.user_id, options={"ignore_password_expiry": True})["password_expires_at"] is None
    assert patch(admin, demo.user_id, password="other")["password_expires_at"] is None
    assert patch(admin, demo.user_id, options={"ignore_password_expiry": None})["password_expires_at"]


def test_a_given_password_is_for_the_first_use_only(cloud: Cloud, client: TestClient, admin: Caller) -> None:
    stricter(cloud, password_change_first=True)
    exempt = {"options": {"ignore_change_password_upon_first_use": True}}
    ids = {}
    for name, more in (("kim", {}), ("lee", exempt)):
        body = {"user": {"name": name, "password": "given", **more}}
        ids[name] = admin.ask("POST", "/users", body, status=201)["user"]["id"]
    log_in(client, "lee", "given")
    assert client.post("/identity/v3/auth/tokens", json=auth_body("kim", "given")).status_code == 401
    change(Caller(client, "", {"user": {"id": ids["kim"]}}), "given", "mine")
    log_in(client, "kim", "mine")
    patch(admin, ids["kim"], password="again")
    assert client.post("/identity/v3/auth/tokens", json=auth_body("kim", "again")).status_code == 401


def test_lists_by_expiry(cloud: Cloud, admin: Caller, demo: Caller) -> None:
    set_row(cloud, User, demo.user_id, password_expires_at=datetime(2030, 1, 2))
    set_row(cloud, User, admin.user_id, password_expires_at=datetime(2030, 1, 4))
    found = {
        query: sorted(user["name"] for user in admin.ask("GET", f"/users?{query}")["users"])
        for query in (
            "password_expires_at=lt:2030-01-04T00:00:00Z",
            "password_expires_at=lte:2030-01-04T00:00:00Z",
            "password_expires_at=gt:2030-01-02T00:00:00Z",
            "password_expires_at=gte:2030-01-02T00:00:00Z",
            "password_expires_at=eq:2030-01-02T00:00:00Z",
            "password_expires_at=neq:2030-01-02T00:00:00Z",
            "password_expires_at=gt:2030-01-01T00:00:00Z&password_expires_at=lt:2030-01-03T00:00:00Z",
        )
    }
    both = ["admin", "demo"]
    assert list(found.values()) == [["demo"], both, ["admin"], both, ["demo"], ["admin"], ["demo"]]
    for bad in ("2030-01-02T00:00:00Z", "after:2030-01-02T00:00:00Z", "gt:soon", "gt:"):
        assert "gt:2030" in admin.ask("GET", f"/users?password_expires_at={bad}", status=400)["error"]["message"]


def test_users_who_stay_away_are_disabled(cloud: Cloud, client: TestClient, admin: Caller, demo: Caller) -> None:
    stricter(cloud, inactive_days=30)
    assert try_login(client, PASSWORDS["demo"]) == 201, "nobody knows since when"
    set_row(cloud, User, demo.user_id, last_active_at=clock.now() - timedelta(days=29))
    assert try_login(client, PASSWORDS["demo"]) == 201
    with cloud.db.reading() as db:
        stamped = db.scalar(select(User.last_active_at).where(User.id == demo.user_id))
    assert stamped is not None
    assert clock.now() - stamped < timedelta(minutes=1)
    set_row(cloud, User, demo.user_id, last_active_at=clock.now() - timedelta(days=30))
    assert try_login(client, PASSWORDS["demo"]) == 401
    activity.disable(cloud)
    assert admin.ask("GET", f"/users/{demo.user_id}")["user"]["enabled"] is False
    patch(admin, demo.user_id, enabled=True)
    assert try_login(client, PASSWORDS["demo"]) == 201
    patch(admin, demo.user_id, options={"ignore_user_inactivity": True})
    set_row(cloud, User, demo.user_id, password_expires_at=None)
    activity.disable(cloud)
    with cloud.db.reading() as db:
        assert db.scalar(select(User.last_active_at).where(User.id == demo.user_id)) is None


@pytest.mark.parametrize("attempts", [0, 2])
def test_every_refusal_takes_the_same_steps(
    cloud: Cloud, client: TestClient, admin: Caller, monkeypatch: pytest.MonkeyPatch, attempts: int
) -> None:
    """Hashes, statements and commits are counted: a clock would only tell on a quiet machine."""
    stricter(cloud, lockout_attempts=attempts, lockout_seconds=3600)
    admin.ask("POST", "/users", {"user": {"name": "no-password"}}, status=201)
    admin.ask("POST", "/users", {"user": {"name": "off", "password": "p", "enabled": False}}, status=201)
    locked = admin.ask("POST", "/users", {"user": {"name": "locked", "password": "p"}}, status=201)["user"]
    if attempts:
        with cloud.db.writing() as db:
            db.add(FailedLogins(user_id=locked["id"], count=attempts, last=now_ms()))
    client.post("/identity/v3/auth/tokens", json=auth_body("nobody", "warm"))
    done: list[str] = []
    real = PasswordHasher.verify

    def hashed(self: PasswordHasher, stored: str, given: bytes) -> bool:
        done.append("hash")
        return real(self, stored, given)

    def note(what: str) -> Callable[..., None]:
        return lambda *_args: done.append(what)

    monkeypatch.setattr(PasswordHasher, "verify", hashed)
    listeners = [(kind, note(kind)) for kind in ("before_cursor_execute", "commit")]
    steps = {}
    for kind, listener in listeners:
        event.listen(Engine, kind, listener)
    try:
        for name in ("nobody", "demo", "no-password", "off", "locked"):
            done.clear()
            reply = client.post("/identity/v3/auth/tokens", json=auth_body(name, "wrong"))
            assert (reply.status_code, done.count("hash")) == (401, 1)
            steps[name] = (reply.text, *done)
    finally:
        for kind, listener in listeners:
            event.remove(Engine, kind, listener)
    assert len(set(steps.values())) == 1, steps


def test_the_same_password_written_otherwise_is_the_same(cloud: Cloud, demo: Caller) -> None:
    stricter(cloud, password_history=1)
    change(demo, PASSWORDS["demo"], "cafe\u0301")
    change(demo, "cafe\u0301", "caf\u00e9", 400)


@pytest.mark.parametrize("change_of", [{"enabled": True}, {"password": "given"}])
def test_an_administrator_unlocks(
    cloud: Cloud, client: TestClient, admin: Caller, demo: Caller, change_of: Json
) -> None:
    stricter(cloud, lockout_attempts=1)
    password = change_of.get("password", PASSWORDS["demo"])
    assert [try_login(client, p) for p in ("x", PASSWORDS["demo"])] == [401, 401]
    patch(admin, demo.user_id, **change_of)
    assert try_login(client, password) == 201


def test_unknown_users_leave_no_rows_of_their_own(cloud: Cloud, client: TestClient) -> None:
    stricter(cloud, lockout_attempts=1)
    for number in range(3):
        login = {"user": {"id": f"nobody-{number}", "password": "x"}}
        body = {"auth": {"identity": {"methods": ["password"], "password": login}}}
        assert client.post("/identity/v3/auth/tokens", json=body).status_code == 401
    with cloud.db.reading() as db:
        assert [(row.user_id, row.count) for row in db.scalars(select(FailedLogins))] == [("", 3)]
