"""OAuth1: consumers act for users with the roles that those said yes to, and signed requests count once."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from oauthlib.oauth1 import Client
from sqlalchemy import event, func, select
from starlette.testclient import TestClient

from pileus.identity.manifest import MANIFEST
from pileus.identity.oauth1 import sweeping
from pileus.identity.oauth1.derivation import Deriver, Kind
from pileus.identity.oauth1.models import AccessToken, AccessTokenRole, Nonce, RequestToken
from pileus.kernel import clock
from pileus.kernel.cloud import Cloud
from pileus.kernel.http.app import App
from tests.identity.consuming import (
    HERE,
    LOGIN,
    allow,
    asking,
    enter,
    form,
    granted,
    holding,
    named,
    names,
    question,
    send,
)
from tests.identity.people import Caller, Json


@pytest.fixture
def consumer(admin: Caller) -> Json:
    return named(admin)


def test_consumers(admin: Caller, demo: Caller) -> None:
    made = named(admin)
    secret = made.pop("secret")
    assert len(secret) == 43
    one = f"/OS-OAUTH1/consumers/{made['id']}"
    assert made["links"]["self"].endswith("/identity/v3" + one)
    assert admin.ask("GET", one)["consumer"] == made == admin.ask("GET", "/OS-OAUTH1/consumers")["consumers"][0]
    changed = admin.ask("PATCH", one, {"consumer": {"description": "other"}})["consumer"]
    assert changed == made | {"description": "other"}
    assert admin.ask("GET", one)["consumer"] == changed
    admin.ask("PATCH", one, {"consumer": {"secret": "mine"}}, status=400)
    assert "secret" not in admin.ask("POST", "/OS-OAUTH1/consumers", {"consumer": {}}, status=201)["consumer"]["links"]
    assert len(admin.ask("GET", "/OS-OAUTH1/consumers?limit=1")["consumers"]) == 1
    for method, path in (("GET", "/OS-OAUTH1/consumers"), ("GET", one), ("DELETE", one)):
        demo.ask(method, path, status=403)
    demo.ask("POST", "/OS-OAUTH1/consumers", {"consumer": {}}, status=403)
    admin.ask("DELETE", one, status=204)
    admin.ask("GET", one, status=404)


def test_the_whole_way(client: TestClient, admin: Caller, demo: Caller, consumer: Json) -> None:
    asked = question(client, consumer, demo.project_id)
    assert {"oauth_token", "oauth_token_secret", "oauth_expires_at"} <= set(asked)
    verifier = allow(demo, asked, "reader")
    given = form(send(client, holding(consumer, asked, verifier=verifier), "/OS-OAUTH1/access_token"))
    token = enter(client, consumer, given)
    assert (token.user_id, token.project_id, names(token)) == (demo.user_id, demo.project_id, {"reader"})
    assert token.body["OS-OAUTH1"] == {"access_token_id": given["oauth_token"], "consumer_id": consumer["id"]}
    assert token.body["methods"] == ["oauth1"]
    assert token.body["expires_at"] <= given["oauth_expires_at"]
    seen = demo.ask("GET", "/auth/tokens", headers={"x-subject-token": token.token})["token"]
    assert seen["OS-OAUTH1"] == token.body["OS-OAUTH1"]

    every = f"/users/{demo.user_id}/OS-OAUTH1/access_tokens"
    one = f"{every}/{given['oauth_token']}"
    shown = demo.ask("GET", one)["access_token"]
    assert demo.ask("GET", every)["access_tokens"] == [shown]
    assert (shown["consumer_id"], shown["authorizing_user_id"]) == (consumer["id"], demo.user_id)
    assert (shown["project_id"], shown["expires_at"]) == (demo.project_id, given["oauth_expires_at"])
    (role,) = demo.ask("GET", one + "/roles")["roles"]
    assert role["name"] == "reader"
    assert demo.ask("GET", f"{one}/roles/{role['id']}")["role"] == role
    demo.ask("GET", f"{one}/roles/nothing", status=404)
    admin.ask("GET", one)
    demo.ask("GET", f"/users/{admin.user_id}/OS-OAUTH1/access_tokens", status=403)
    admin.ask("GET", f"/users/{admin.user_id}/OS-OAUTH1/access_tokens/{given['oauth_token']}", status=404)
    demo.ask("DELETE", one, status=204)
    demo.ask("GET", one, status=404)
    token.ask("GET", "/auth/catalog", status=401)
    assert send(client, holding(consumer, given), "/auth/tokens", LOGIN).status_code == 401


def test_the_signature_may_be_for_the_public_address(
    client: TestClient, cloud: Cloud, demo: Caller, consumer: Json
) -> None:
    """A proxy that ends TLS hands the request on to another address than the one that was signed."""
    path = "/v3/OS-OAUTH1/request_token"
    _, headers, _ = asking(consumer).sign(cloud.endpoint("identity") + path, http_method="POST")
    assert not cloud.endpoint("identity").startswith("http://testserver")
    form(client.post("/identity" + path, headers={**headers, "requested-project-id": demo.project_id}))
    _, headers, _ = asking(consumer).sign("https://elsewhere.example/identity" + path, http_method="POST")
    assert client.post("/identity" + path, headers={**headers, "requested-project-id": "x"}).status_code == 401


def test_all_wrong_signatures_look_alike(client: TestClient, demo: Caller, consumer: Json) -> None:
    asked = question(client, consumer, demo.project_id)
    verifier = allow(demo, asked, "reader")
    wrong = {"oauth_token": asked["oauth_token"], "oauth_token_secret": "wrong"}
    nobody = {"id": "nobody", "secret": consumer["secret"]}
    path = "/OS-OAUTH1/access_token"
    refusals = [
        send(client, asking(consumer | {"secret": "wrong"}), "/OS-OAUTH1/request_token"),
        send(client, asking(nobody), "/OS-OAUTH1/request_token"),
        send(client, holding(consumer, wrong, verifier=verifier), path),
        send(client, holding(consumer, asked, verifier="wrong"), path),
        send(client, holding(consumer | {"secret": "wrong"}, asked, verifier=verifier), path),
        send(client, holding(nobody, asked, verifier=verifier), path),
        send(client, holding(consumer, asked | {"oauth_token": "nothing"}, verifier=verifier), path),
        send(client, holding(consumer, asked), "/auth/tokens", LOGIN),  # a question is not an answer
        client.post("/identity/v3/auth/tokens", json=LOGIN),
    ]
    assert {reply.status_code for reply in refusals} == {401}
    assert len({reply.text for reply in refusals}) == 1
    form(send(client, holding(consumer, asked, verifier=verifier), path))


def test_what_is_not_oauth(client: TestClient, consumer: Json, demo: Caller) -> None:
    path = "/identity/v3/OS-OAUTH1/request_token"
    assert client.post(path).status_code == 400
    assert client.get(path).status_code == client.head(path).status_code == 405
    assert client.get("/identity/v3/OS-OAUTH1/access_token").status_code == 405
    old = asking(consumer, timestamp=str(int(time.time()) - 700))
    assert send(client, old, "/OS-OAUTH1/request_token").status_code == 400
    ahead = asking(consumer, timestamp=str(int(time.time()) + 700))
    assert send(client, ahead, "/OS-OAUTH1/request_token").status_code == 400
    plain = asking(consumer, signature_method="PLAINTEXT")
    assert send(client, plain, "/OS-OAUTH1/request_token").status_code == 400
    assert send(client, asking(consumer), "/OS-OAUTH1/request_token").status_code == 400  # for which project?
    for elsewhere in ("nowhere", "default"):
        asked = send(client, asking(consumer), "/OS-OAUTH1/request_token", project_id=elsewhere)
        assert asked.status_code == 404


_WORDS = """oauth_consumer_key oauth_nonce oauth_timestamp oauth_token oauth_verifier oauth_signature oauth_version
oauth_signature_method oauth_callback realm HMAC-SHA1 1.0 OAuth Basic 1700000000 % %zz %00 = " ," ÿ é"""
_PART = st.sampled_from([" ", *_WORDS.split()]) | st.text(
    st.characters(min_codepoint=32, max_codepoint=255), max_size=3
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(parts=st.lists(_PART, max_size=25))
def test_junk_is_refused(client: TestClient, parts: list[str]) -> None:
    headers = [(b"authorization", ("OAuth " + "".join(parts)).encode("latin-1"))]
    query = "".join(parts).encode("latin-1").hex()
    for address in ("/OS-OAUTH1/request_token", "/OS-OAUTH1/access_token", f"/OS-OAUTH1/access_token?{query}%"):
        assert client.post("/identity/v3" + address, headers=headers).status_code in (400, 401)
    assert client.post("/identity/v3/auth/tokens", headers=headers, json=LOGIN).status_code == 401


def test_a_signed_request_counts_once(client: TestClient, demo: Caller, consumer: Json) -> None:
    """Each of the three kinds, sent again word for word."""
    project = {"requested-project-id": demo.project_id}
    _, headers, _ = asking(consumer).sign(HERE + "/OS-OAUTH1/request_token", http_method="POST")
    first = client.post(HERE + "/OS-OAUTH1/request_token", headers=headers | project)
    assert client.post(HERE + "/OS-OAUTH1/request_token", headers=headers | project).status_code == 401
    asked = form(first)
    signer = holding(consumer, asked, verifier=allow(demo, asked, "reader"))
    _, headers, _ = signer.sign(HERE + "/OS-OAUTH1/access_token", http_method="POST")
    given = form(client.post(HERE + "/OS-OAUTH1/access_token", headers=headers))
    assert client.post(HERE + "/OS-OAUTH1/access_token", headers=headers).status_code == 401
    assert send(client, signer, "/OS-OAUTH1/access_token").status_code == 401  # a question is answered once, too
    _, headers, _ = holding(consumer, given).sign(HERE + "/auth/tokens", http_method="POST")
    assert client.post(HERE + "/auth/tokens", headers=headers, json=LOGIN).status_code == 201
    assert client.post(HERE + "/auth/tokens", headers=headers, json=LOGIN).status_code == 401


def test_replays_at_once(cloud: Cloud, client: TestClient, demo: Caller, consumer: Json) -> None:
    given = granted(client, consumer, demo, "reader")
    _, headers, _ = holding(consumer, given).sign(HERE + "/auth/tokens", http_method="POST")

    def attempt(_: int) -> int:
        with TestClient(App(cloud, [MANIFEST]), raise_server_exceptions=False) as own:
            return own.post(HERE + "/auth/tokens", headers=headers, json=LOGIN).status_code

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(attempt, range(8))) == [201] + [401] * 7


def test_unsigned_requests_leave_nothing_behind(cloud: Cloud, client: TestClient, consumer: Json) -> None:
    for _ in range(3):
        send(client, asking(consumer | {"secret": "wrong"}), "/OS-OAUTH1/request_token")
        send(client, holding(consumer, {"oauth_token": "x", "oauth_token_secret": "y"}), "/auth/tokens", LOGIN)
    with cloud.db.reading() as db:
        assert db.scalar(select(func.count()).select_from(Nonce)) == 0


def test_saying_yes(client: TestClient, admin: Caller, demo: Caller, consumer: Json) -> None:
    """Only to what one has oneself, only once, and not with a delegated token."""
    asked = question(client, consumer, demo.project_id)
    allow(demo, asked, status=400)
    allow(demo, asked, "admin", status=403)
    allow(demo, {"oauth_token": "nothing"}, "reader", status=404)
    demo.ask("PUT", f"/OS-OAUTH1/authorize/{asked['oauth_token']}", {"roles": [{"id": "none"}]}, status=404)
    demo.ask("PUT", f"/OS-OAUTH1/authorize/{asked['oauth_token']}", {"roles": [{}]}, status=400)
    unanswered = holding(consumer, asked, verifier="")
    assert send(client, unanswered, "/OS-OAUTH1/access_token").status_code == 400
    allow(demo, asked, "reader")
    allow(demo, asked, "member", status=409)
    allow(admin, asked, "member", status=409)
    foreign = question(client, consumer, admin.project_id)
    allow(demo, foreign, "reader", status=403)
    robot = enter(client, consumer, granted(client, consumer, demo, "member"))
    allow(robot, question(client, consumer, demo.project_id), "reader", status=403)


def test_an_unanswered_question_is_not_exchanged(
    cloud: Cloud, client: TestClient, demo: Caller, consumer: Json
) -> None:
    asked = question(client, consumer, demo.project_id)
    assert send(client, holding(consumer, asked, verifier="x"), "/OS-OAUTH1/access_token").status_code == 401
    verifier = allow(demo, asked, "reader")
    with cloud.db.writing() as db:
        db.get_one(RequestToken, asked["oauth_token"]).expires_at = clock.now()
    assert send(client, holding(consumer, asked, verifier=verifier), "/OS-OAUTH1/access_token").status_code == 401


def test_another_consumer_can_not_use_what_it_stole(
    client: TestClient, admin: Caller, demo: Caller, consumer: Json
) -> None:
    thief = named(admin)
    asked = question(client, consumer, demo.project_id)
    verifier = allow(demo, asked, "reader")
    assert send(client, holding(thief, asked, verifier=verifier), "/OS-OAUTH1/access_token").status_code == 401
    given = form(send(client, holding(consumer, asked, verifier=verifier), "/OS-OAUTH1/access_token"))
    assert send(client, holding(thief, given), "/auth/tokens", LOGIN).status_code == 401


def test_no_secret_is_in_the_database(cloud: Cloud, client: TestClient, demo: Caller, consumer: Json) -> None:
    asked = question(client, consumer, demo.project_id)
    given = granted(client, consumer, demo, "reader")
    raw = b"".join(path.read_bytes() for path in (cloud.config.state / "db").iterdir())
    assert consumer["id"].encode() in raw and given["oauth_token"].encode() in raw
    for secret in (consumer["secret"], asked["oauth_token_secret"], given["oauth_token_secret"]):
        assert secret.encode() not in raw
    assert ((cloud.config.state / "secrets" / "oauth1_key").stat().st_mode & 0o777) == 0o600


def test_sweep(cloud: Cloud, client: TestClient, demo: Caller, consumer: Json) -> None:
    question(client, consumer, demo.project_id)
    given = granted(client, consumer, demo, "reader")

    def counts() -> list[int]:
        with cloud.db.reading() as db:
            tables = (RequestToken, AccessToken, AccessTokenRole, Nonce)
            return [db.scalar(select(func.count()).select_from(table)) or 0 for table in tables]

    sweeping.sweep(cloud)
    assert counts() == [1, 1, 1, 3]
    with cloud.db.writing() as db:
        db.get_one(AccessToken, given["oauth_token"]).expires_at = clock.now() - timedelta(seconds=1)
        for nonce in db.query(Nonce):
            nonce.timestamp -= 700
    sweeping.sweep(cloud)
    assert counts() == [1, 0, 0, 0]


def test_refusals_cost_the_same(
    cloud: Cloud, client: TestClient, admin: Caller, demo: Caller, consumer: Json, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As many queries and derived secrets for an unknown consumer or token as for a wrong signature: time tells nothing."""
    given = granted(client, consumer, demo, "reader")
    wrong, nobody = {**consumer, "secret": "wrong"}, {"id": "nobody", "secret": "wrong"}
    absent = {"oauth_token": "nothing", "oauth_token_secret": "x"}
    work: list[str] = []
    derive = Deriver.secret

    def derived(self: Deriver, kind: Kind, id: str) -> str:
        work.append(kind)
        return derive(self, kind, id)

    monkeypatch.setattr(Deriver, "secret", derived)

    def queried(_c: object, _cursor: object, statement: str, *_rest: object) -> None:
        if "oauth1" in statement:
            work.append(statement.split("WHERE", maxsplit=1)[0])

    def cost(signer: Client, path: str, body: Json | None = None) -> list[str]:
        work.clear()
        assert send(client, signer, path, body).status_code == 401
        return list(work)

    for engine in {cloud.db._reader, cloud.db._writer}:
        event.listen(engine, "before_cursor_execute", queried)
    asks, logins = "/OS-OAUTH1/request_token", "/auth/tokens"
    first = cost(asking(wrong), asks)
    assert len(first) >= 3 and first == cost(asking(nobody), asks)
    second = cost(holding(wrong, given), logins, LOGIN)
    assert len(second) >= 5
    assert second == cost(holding(nobody, given), logins, LOGIN) == cost(holding(consumer, absent), logins, LOGIN)
