"""How passwords are kept."""

import logging

import msgspec
import pytest
from argon2 import PasswordHasher
from sqlalchemy import select
from starlette.testclient import TestClient

from pileus.identity.passwords.hashing import Hasher
from pileus.identity.passwords.models import Password
from pileus.identity.settings import IdentitySettings
from pileus.identity.tokens.payload import now_ms
from pileus.kernel.cloud import Cloud
from tests.identity.conftest import QUICK
from tests.identity.people import PASSWORDS, Caller, auth_body, log_in


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


def stricter(cloud: Cloud, **changes: int) -> None:
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
