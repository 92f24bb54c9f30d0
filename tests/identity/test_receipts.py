"""Logging in by several methods, and the receipts in between."""

from collections.abc import Callable
from typing import Any

import pytest
from starlette.testclient import TestClient

from pileus.identity.refusals.explain import explain
from pileus.identity.refusals.models import RefusedLogin
from pileus.identity.tokens import factors
from pileus.identity.tokens.authenticator import TokenAuthenticator
from pileus.identity.tokens.login import Login, refused
from pileus.identity.tokens.methods import METHODS
from pileus.identity.tokens.payload import BadToken, Payload, now_ms
from pileus.identity.tokens.receipts import ReceiptProvider
from pileus.kernel.cloud import Cloud
from tests.identity.people import PASSWORDS, Caller, Json, auth_body, log_in

AUTH = "/identity/v3/auth/tokens"
HEADER = "openstack-auth-receipt"


@pytest.fixture
def codes(monkeypatch: pytest.MonkeyPatch, demo: Caller) -> None:
    """`totp` takes the passcode 123456 of demo: how passcodes are made is tested elsewhere."""

    def prove(_call: object, identity: Any) -> Login:
        if identity.totp.user.passcode != "123456":
            raise refused("wrong passcode")
        return Login(user_id=identity.totp.user.id, methods=("totp",))

    monkeypatch.setattr("pileus.identity.tokens.methods.METHODS", {**METHODS, "totp": prove})


@pytest.fixture
def both(admin: Caller, demo: Caller) -> Caller:
    """demo must give a password and a passcode."""
    rules = [["password", "totp"], ["password", "yubikey"], "password", []]
    assert factors.rules({"multi_factor_auth_rules": rules}) == [{"password", "totp"}]
    options = {"multi_factor_auth_enabled": True, "multi_factor_auth_rules": rules[:2]}
    admin.ask("PATCH", f"/users/{demo.user_id}", {"user": {"options": options}})
    return demo


def by_code(user_id: str, code: str = "123456") -> Json:
    return {"auth": {"identity": {"methods": ["totp"], "totp": {"user": {"id": user_id, "passcode": code}}}}}


def test_one_method_gets_a_receipt(client: TestClient, both: Caller) -> None:
    reply = client.post(AUTH, json=auth_body("demo", project="demo"))
    assert reply.status_code == 401
    assert "x-subject-token" not in reply.headers
    body = reply.json()
    assert body["required_auth_methods"] == [["password", "totp"]]
    assert body["receipt"]["methods"] == ["password"]
    assert body["receipt"]["user"] == {
        "id": both.user_id,
        "name": "demo",
        "domain": {"id": "default", "name": "Default"},
    }
    assert body["receipt"]["issued_at"] < body["receipt"]["expires_at"]
    wrong = client.post(AUTH, json=auth_body("demo", "wrong", project="demo"))
    assert wrong.status_code == 401
    assert HEADER not in wrong.headers


@pytest.mark.usefixtures("codes")
def test_the_receipt_continues_the_login(client: TestClient, both: Caller) -> None:
    receipt = client.post(AUTH, json=auth_body("demo")).headers[HEADER]
    alone = client.post(AUTH, json=by_code(both.user_id))
    assert alone.status_code == 401
    wrong = client.post(AUTH, json=by_code(both.user_id, "0"), headers={HEADER: receipt})
    assert (wrong.status_code, HEADER in wrong.headers) == (401, False)
    reply = client.post(AUTH, json=by_code(both.user_id), headers={HEADER: receipt})
    assert reply.status_code == 201
    assert reply.json()["token"]["methods"] == ["password", "totp"]
    again = {"auth": {"identity": {"methods": ["token"], "token": {"id": reply.headers["x-subject-token"]}}}}
    assert client.post(AUTH, json=again).status_code == 201, "a token counts as the methods that it came from"


@pytest.mark.usefixtures("codes")
def test_both_at_once(client: TestClient, both: Caller) -> None:
    body = auth_body("demo", project="demo")
    body["auth"]["identity"]["methods"].append("totp")
    body["auth"]["identity"] |= {"totp": {"user": {"id": both.user_id, "passcode": "123456"}}}
    assert client.post(AUTH, json=body).status_code == 201


def test_an_earlier_token_is_not_enough_either(client: TestClient, both: Caller) -> None:
    login = {"auth": {"identity": {"methods": ["token"], "token": {"id": both.token}}}}
    reply = client.post(AUTH, json=login)
    assert (reply.status_code, reply.json()["receipt"]["methods"]) == (401, ["password", "token"])


@pytest.mark.usefixtures("codes")
def test_what_comes_of_a_token_and_a_receipt_ends_with_the_token(client: TestClient, both: Caller) -> None:
    login = {"auth": {"identity": {"methods": ["token"], "token": {"id": both.token}}}}
    receipt = client.post(AUTH, json=login).headers[HEADER]
    reply = client.post(AUTH, json=by_code(both.user_id), headers={HEADER: receipt})
    assert reply.status_code == 201
    assert reply.json()["token"]["expires_at"] <= both.body["expires_at"]


def spoiled(receipt: str) -> str:
    return receipt[:-10] + ("A" if receipt[-10] != "A" else "B") + receipt[-9:]


@pytest.mark.usefixtures("codes")
@pytest.mark.parametrize("make", [spoiled, lambda _receipt: "x", lambda _receipt: "é", lambda receipt: receipt * 99])
def test_what_is_no_receipt(client: TestClient, both: Caller, make: Callable[[str], str]) -> None:
    receipt = make(client.post(AUTH, json=auth_body("demo")).headers[HEADER])
    reply = client.post(AUTH, json=by_code(both.user_id), headers={HEADER.encode(): receipt.encode()})
    assert reply.status_code == 404


@pytest.mark.usefixtures("codes")
def test_a_receipt_is_for_one_user_and_a_short_time(
    client: TestClient, admin: Caller, both: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    receipt = client.post(AUTH, json=auth_body("demo")).headers[HEADER]
    other = client.post(AUTH, json=auth_body("admin"), headers={HEADER: receipt})
    assert other.status_code == 404
    later = now_ms() + 300_000
    with monkeypatch.context() as patched:
        patched.setattr("pileus.identity.tokens.receipts.now_ms", lambda: later)
        assert client.post(AUTH, json=by_code(both.user_id), headers={HEADER: receipt}).status_code == 404
    admin.ask("PATCH", f"/users/{both.user_id}", {"user": {"password": "new-one"}})
    assert client.post(AUTH, json=by_code(both.user_id), headers={HEADER: receipt}).status_code == 404


def test_a_receipt_is_no_token_and_a_token_no_receipt(cloud: Cloud, client: TestClient, both: Caller) -> None:
    receipt = client.post(AUTH, json=auth_body("demo")).headers[HEADER]
    tokens = cloud.part(TokenAuthenticator)
    with pytest.raises(BadToken):
        tokens.provider.unseal(receipt)
    assert cloud.part(ReceiptProvider).unseal(both.token) is None
    Caller(client, receipt, {}).ask("GET", "/auth/projects", status=401)
    fernet = cloud.part(ReceiptProvider)._keys.now()
    assert isinstance(tokens.provider.unseal(both.token), Payload)
    raw = b"\x93\x01\x02\x03"
    assert cloud.part(ReceiptProvider).unseal(fernet.encrypt(raw).decode()) is None, "sealed right, of another shape"


def test_a_delegated_login_gets_none(client: TestClient, admin: Caller, demo: Caller) -> None:
    """Its receipt and a passcode would make a login with all that the user has."""
    wish = {"application_credential": {"name": "c"}}
    made = demo.ask("POST", f"/users/{demo.user_id}/application_credentials", wish, status=201)
    options = {"multi_factor_auth_rules": [["password", "totp"]]}
    admin.ask("PATCH", f"/users/{demo.user_id}", {"user": {"options": options}})
    given = {name: made["application_credential"][name] for name in ("id", "secret")}
    identity = {"methods": ["application_credential"], "application_credential": given}
    reply = client.post(AUTH, json={"auth": {"identity": identity}})
    assert (reply.status_code, HEADER in reply.headers) == (401, False)


def test_rules_can_be_off(client: TestClient, admin: Caller, both: Caller) -> None:
    admin.ask("PATCH", f"/users/{both.user_id}", {"user": {"options": {"multi_factor_auth_enabled": False}}})
    log_in(client, "demo")


def test_a_disabled_user_gets_no_receipt(client: TestClient, admin: Caller, both: Caller) -> None:
    admin.ask("PATCH", f"/users/{both.user_id}", {"user": {"enabled": False}})
    reply = client.post(AUTH, json=auth_body("demo"))
    unknown = client.post(AUTH, json=auth_body("nobody", "x"))
    assert (reply.status_code, reply.text, HEADER in reply.headers) == (401, unknown.text, False)


def told(cloud: Cloud, name: str) -> str:
    with cloud.db.reading() as db:
        return "\n".join(explain(cloud, db, name))


def test_the_operator_is_told_why(cloud: Cloud, client: TestClient, admin: Caller, both: Caller) -> None:
    assert "User demo" in told(cloud, "demo")
    assert "has to log in by password+totp" in told(cloud, "demo")
    reply = client.post(AUTH, json=auth_body("demo", "wrong"))
    line = next(line for line in told(cloud, both.user_id).splitlines() if "wrong_password" in line)
    assert reply.headers["x-openstack-request-id"] in line
    assert "testclient" in line
    client.post(AUTH, json=auth_body("nobody", "x"))
    assert "There is no user nobody." in told(cloud, "nobody")
    assert "unknown_user" in told(cloud, "nobody")
    admin.ask("PATCH", f"/users/{both.user_id}", {"user": {"options": {"multi_factor_auth_enabled": False}}})
    client.post(AUTH, json=auth_body("demo", project="admin"))
    assert "no_role" in told(cloud, "demo")
    admin.ask("PATCH", f"/users/{both.user_id}", {"user": {"enabled": False}})
    client.post(AUTH, json=auth_body("demo"))
    assert "now: disabled" in told(cloud, "demo")
    assert "user_disabled" in told(cloud, "demo")
    assert PASSWORDS["demo"] not in told(cloud, "demo")


def test_the_list_of_refusals_does_not_grow_for_ever(
    cloud: Cloud, client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pileus.identity.refusals.notes.MOST", 3)
    for number in range(5):
        client.post(AUTH, json=auth_body(f"nobody-{number}", "x"))
    with cloud.db.reading() as db:
        assert [row.who for row in db.query(RefusedLogin)] == ["nobody-2", "nobody-3", "nobody-4"]
