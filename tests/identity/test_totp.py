"""One-time passcodes: what they are, that each opens once, and that nobody learns from a refusal."""

import base64
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import msgspec
import pytest
from cryptography.fernet import MultiFernet
from httpx2 import Response
from sqlalchemy import event
from starlette.testclient import TestClient

from pileus.identity.credentials import totp
from pileus.identity.settings import IdentitySettings
from pileus.kernel.cloud import Cloud
from tests.identity.people import PASSWORDS, Caller, Json
from tests.identity.test_credentials import make

SECRET = b"12345678901234567890"
BLOB = base64.b32encode(SECRET).decode()


@pytest.fixture(autouse=True)
def step(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """The clock of passcodes, which stands still unless a test moves it."""
    now = [50_000_000]
    monkeypatch.setattr("pileus.identity.credentials.totp.now_ms", lambda: now[0] * 30_000 + 29_999)
    yield now


def log_in(
    client: TestClient, passcode: str, *, name: str = "demo", methods: tuple[str, ...] = ("totp",), **more: str
) -> Response:
    user = {"name": name, "domain": {"id": "default"}}
    identity: Json = {"methods": list(methods), "totp": {"user": {**user, "passcode": passcode, **more}}}
    if "password" in methods:
        identity["password"] = {"user": {**user, "password": PASSWORDS["demo"]}}
    scope = {"project": {"name": "demo", "domain": {"id": "default"}}}
    return client.post("/identity/v3/auth/tokens", json={"auth": {"identity": identity, "scope": scope}})


@pytest.mark.parametrize(
    ("seconds", "passcode"),
    [
        (59, "287082"),
        (1111111109, "081804"),
        (1111111111, "050471"),
        (1234567890, "005924"),
        (2000000000, "279037"),
        (20000000000, "353130"),
    ],
)
def test_the_examples_of_rfc_6238(seconds: int, passcode: str) -> None:
    """Its appendix B, of whose eight digits these are the last six."""
    assert totp.passcode(SECRET, seconds // totp.STEP) == passcode


def test_a_passcode_opens_once(client: TestClient, demo: Caller, step: list[int]) -> None:
    made = make(demo, "totp", BLOB)
    reply = log_in(client, totp.passcode(SECRET, step[0]))
    assert reply.status_code == 201, reply.text
    assert reply.json()["token"]["methods"] == ["totp"]
    assert reply.json()["token"]["project"]["id"] == demo.project_id
    assert log_in(client, totp.passcode(SECRET, step[0])).status_code == 401
    assert log_in(client, totp.passcode(SECRET, step[0] - 1)).status_code == 401, "older than one that was used"
    step[0] += 1
    assert log_in(client, totp.passcode(SECRET, step[0] - 1)).status_code == 401
    assert log_in(client, totp.passcode(SECRET, step[0])).status_code == 201
    step[0] += 1
    demo.ask("DELETE", f"/credentials/{made['id']}", status=204)
    assert log_in(client, totp.passcode(SECRET, step[0])).status_code == 401


def test_a_passcode_opens_once_also_for_many_at_once(cloud: Cloud, demo: Caller, step: list[int]) -> None:
    make(demo, "totp", BLOB)
    given = totp.passcode(SECRET, step[0])

    def enter(_: int) -> bool:
        with cloud.db.reading() as db:
            return totp.admit(cloud, db, demo.user_id, given)

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(enter, range(8))) == 1


@pytest.mark.parametrize(("windows", "opens"), [(0, {0}), (1, {0, -1}), (3, {0, -1, -2, -3})])
def test_how_many_steps_count(
    cloud: Cloud, client: TestClient, demo: Caller, step: list[int], windows: int, opens: set[int]
) -> None:
    changed = msgspec.structs.replace(cloud.settings(IdentitySettings), totp_included_previous_windows=windows)
    cloud.config._by_type[IdentitySettings] = changed
    found = set()
    for offset in (-5, -4, -3, -2, -1, 0, 1, 2):
        made = make(demo, "totp", BLOB)
        if log_in(client, totp.passcode(SECRET, step[0] + offset)).status_code == 201:
            found.add(offset)
        demo.ask("DELETE", f"/credentials/{made['id']}", status=204)
    assert found == opens


def test_refusals_are_one_answer(client: TestClient, admin: Caller, demo: Caller, step: list[int]) -> None:
    good = totp.passcode(SECRET, step[0])
    admin.ask("POST", "/users", {"user": {"name": "off", "enabled": False}}, status=201)
    without = log_in(client, good)
    make(demo, "totp", BLOB)
    make(demo, "cert", BLOB)
    wrong = str((int(good) + 1) % 10**6).zfill(6)
    replies = [
        without,
        *(log_in(client, text) for text in (wrong, good[:5], good + "0", "", "é", "\u0000", "x" * 10_000)),
        log_in(client, good, name="nobody"),
        log_in(client, good, name="off"),
        log_in(client, good, name="admin"),
    ]
    assert {reply.status_code for reply in replies} == {401}
    assert len({reply.text for reply in replies}) == 1
    assert log_in(client, good).status_code == 201


def test_bad_bodies(client: TestClient, demo: Caller) -> None:
    for user in ({"id": demo.user_id}, {"id": demo.user_id, "passcode": 5}, {"name": "demo", "passcode": "5"}):
        body = {"auth": {"identity": {"methods": ["totp"], "totp": {"user": user}}}}
        assert client.post("/identity/v3/auth/tokens", json=body).status_code == 400
    body = {"auth": {"identity": {"methods": ["totp"]}}}
    assert "auth.identity.totp" in client.post("/identity/v3/auth/tokens", json=body).json()["error"]["message"]


def test_together_with_a_password(client: TestClient, admin: Caller, demo: Caller, step: list[int]) -> None:
    make(demo, "totp", BLOB)
    both = ("password", "totp")
    assert log_in(client, "000000", methods=both).status_code == 401
    reply = log_in(client, totp.passcode(SECRET, step[0]), methods=both)
    assert reply.status_code == 201, reply.text
    assert reply.json()["token"]["methods"] == ["password", "totp"]
    make(admin, "totp", base64.b32encode(b"another").decode())
    assert log_in(client, totp.passcode(b"another", step[0]), methods=both, id=admin.user_id).status_code == 401


def test_any_of_several_secrets_opens(client: TestClient, demo: Caller, step: list[int]) -> None:
    for secret in (b"one", b"two"):
        make(demo, "totp", base64.b32encode(secret).decode().rstrip("="))
    for secret in (b"two", b"one"):
        assert log_in(client, totp.passcode(secret, step[0])).status_code == 201
        assert log_in(client, totp.passcode(secret, step[0])).status_code == 401


def test_wrong_passcodes_lock_the_user(cloud: Cloud, client: TestClient, demo: Caller, step: list[int]) -> None:
    changed = msgspec.structs.replace(cloud.settings(IdentitySettings), lockout_attempts=3)
    cloud.config._by_type[IdentitySettings] = changed
    make(demo, "totp", BLOB)
    for _ in range(3):
        assert log_in(client, "000000").status_code == 401
    assert log_in(client, totp.passcode(SECRET, step[0])).status_code == 401


def test_nobody_takes_as_long_as_somebody(cloud: Cloud, demo: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same work whether or not the user is there and has a secret: a query, a decryption, two passcodes."""
    make(demo, "totp", BLOB)
    work: list[str] = []
    decrypt, passcode = MultiFernet.decrypt, totp.passcode

    def counted(secret: bytes, step: int) -> str:
        work.append("passcode")
        return passcode(secret, step)

    def opened(self: MultiFernet, token: bytes) -> bytes:
        work.append("decryption")
        return decrypt(self, token)

    monkeypatch.setattr(totp, "passcode", counted)
    monkeypatch.setattr(MultiFernet, "decrypt", opened)
    event.listen(cloud.db._reader, "before_cursor_execute", lambda *args: work.append("query"))
    found = []
    with cloud.db.reading() as db:
        assert not totp.admit(cloud, db, None, "000000")  # makes the decoy
        for user_id in (demo.user_id, None, "nobody"):
            work.clear()
            assert not totp.admit(cloud, db, user_id, "000000")
            found.append(sorted(work))
    assert found == [["decryption", "passcode", "passcode", "query"]] * 3


def test_a_known_password_does_not_help_to_guess_passcodes(
    client: TestClient, demo: Caller, cloud: Cloud, step: list[int]
) -> None:
    """Wrong passcodes count although the password beside them is right."""
    make(demo, "totp", BLOB)
    changed = msgspec.structs.replace(cloud.settings(IdentitySettings), lockout_attempts=3)
    cloud.config._by_type[IdentitySettings] = changed
    both = ("password", "totp")
    assert [log_in(client, "000000", methods=both).status_code for _ in range(2)] == [401, 401]
    assert log_in(client, totp.passcode(SECRET, step[0]), methods=both).status_code == 201, "and a whole login forgives"
    step[0] += 1
    assert [log_in(client, "000000", methods=both).status_code for _ in range(3)] == [401, 401, 401]
    assert log_in(client, totp.passcode(SECRET, step[0]), methods=both).status_code == 401, "locked by now"
