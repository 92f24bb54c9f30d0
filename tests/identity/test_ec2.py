"""EC2 key pairs, and the tokens that signatures made with them are worth."""

import base64
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from pileus.identity.ec2 import s3, signatures
from pileus.identity.ec2.schemas import SignedRequest, SignedString
from pileus.identity.ec2.signatures import BadSignature
from pileus.kernel import clock
from tests.identity import consuming, signing, trusting
from tests.identity.people import Caller, Json, log_in
from tests.identity.signing import moment
from tests.identity.test_application_credentials import enter as enter_robot
from tests.identity.test_application_credentials import make as make_robot
from tests.identity.test_credentials import ids, make_ec2, pair, someone

SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"  # Amazon's published examples use these two
OLD_SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
TTL = 900


@pytest.fixture
def service(client: TestClient, admin: Caller) -> Caller:
    """A service that speaks Amazon's APIs: a user with the role service and no other."""
    return someone(client, admin, "gateway", "service", "service")


def make(caller: Caller, *, status: int = 201, project: str | None = None) -> Json:
    body = {"tenant_id": project or caller.project_id}
    reply: Json = caller.ask("POST", f"/users/{caller.user_id}/credentials/OS-EC2", body, status=status)
    made: Json = reply.get("credential", reply)
    return made


def swap(caller: Caller, signed: Json, *, kind: str = "ec2", status: int = 200, name: str = "credentials") -> Any:
    """The signature for a token, as its bearer."""
    path = f"/identity/v3/{kind}tokens"
    reply = caller.client.post(path, json={name: signed}, headers={"x-auth-token": caller.token})
    assert reply.status_code == status, reply.text
    if status != 200:
        assert "x-subject-token" not in reply.headers
        return reply.json()
    return Caller(caller.client, reply.headers["x-subject-token"], reply.json()["token"])


def names(caller: Caller) -> set[str]:
    return {role["name"] for role in caller.body["roles"]}


def test_life(demo: Caller) -> None:
    made = make(demo)
    path = f"/users/{demo.user_id}/credentials/OS-EC2"
    assert made["access"] and made["secret"]
    expected = {"user_id": demo.user_id, "tenant_id": demo.project_id, "project_id": demo.project_id, "trust_id": None}
    links = {"self": f"http://127.0.0.1:8780/identity/v3{path}/{made['access']}"}
    assert {k: v for k, v in made.items() if k not in ("access", "secret")} == expected | {"links": links}
    assert demo.ask("GET", f"{path}/{made['access']}")["credential"] == made
    other = make(demo)
    listed = demo.ask("GET", path)["credentials"]
    assert sorted(listed, key=str) == sorted([made, other], key=str)
    assert len(ids(demo, "?type=ec2")) == 2
    demo.ask("DELETE", f"{path}/{made['access']}", status=204)
    demo.ask("GET", f"{path}/{made['access']}", status=404)
    demo.ask("DELETE", f"{path}/{made['access']}", status=404)
    assert demo.ask("GET", path)["credentials"] == [other]
    demo.ask("POST", path, {}, status=400)
    demo.ask("POST", path, {"tenant_id": 5}, status=400)


def test_personas(client: TestClient, admin: Caller, demo: Caller) -> None:
    made = make(demo)
    path = f"/users/{demo.user_id}/credentials/OS-EC2"
    stranger = someone(client, admin, "eve", "demo")
    reader = someone(client, admin, "rita", "demo", "reader")
    for method, where in (("GET", path), ("GET", f"{path}/{made['access']}"), ("DELETE", f"{path}/{made['access']}")):
        stranger.ask(method, where, status=403)
    stranger.ask("GET", f"{path}/nothing", status=403)
    stranger.ask("GET", "/users/nobody/credentials/OS-EC2", status=403)
    stranger.ask("GET", f"/users/{stranger.user_id}/credentials/OS-EC2/{made['access']}", status=404)
    stranger.ask("POST", path, {"tenant_id": demo.project_id}, status=403)
    assert make(reader)["user_id"] == reader.user_id
    make(demo, project=admin.project_id, status=403)
    admin.ask("GET", "/users/nobody/credentials/OS-EC2", status=404)
    admin.ask("POST", path, {"tenant_id": "nowhere"}, status=404)
    assert admin.ask("GET", path)["credentials"] == [made]
    theirs = admin.ask("POST", path, {"tenant_id": demo.project_id}, status=201)["credential"]
    assert theirs["user_id"] == demo.user_id
    admin.ask("DELETE", f"{path}/{theirs['access']}", status=204)


SIGNED: list[tuple[str, dict[str, Any]]] = [
    ("version_1", {}),
    ("version_2", {}),
    ("version_2", {"method": "HmacSHA1"}),
    ("version_2", {"host": "h:8773"}),
    ("version_4", {}),
    ("version_4", {"in_query": True}),
    ("version_4", {"date": "Date"}),
    ("version_4", {"verb": "POST"}),
    ("version_4", {"signed_host": "h"}),
]


@pytest.mark.parametrize(("form", "more"), SIGNED)
def test_a_signature_is_worth_a_token(demo: Caller, service: Caller, form: str, more: dict[str, Any]) -> None:
    key = make(demo)
    sign = getattr(signing, form)
    signed = sign(key["access"], key["secret"], moment(), **more)
    token = swap(service, signed)
    assert token.user_id == demo.user_id
    assert token.project_id == demo.project_id
    assert names(token) == {"member", "reader"}
    assert token.body["methods"] == ["ec2credential"]
    assert token.body["catalog"]
    token.ask("GET", "/auth/projects")
    for changed in (
        {"signature": signed["signature"][:-2] + "AA"},
        {"signature": ""},
        {"path": "/other"} if form != "version_1" else {"params": signed["params"] | {"Action": "Terminate"}},
        {"verb": "DELETE"} if form != "version_1" else {"params": signed["params"] | {"More": "x"}},
        {"access": "unknown"},
    ):
        swap(service, signed | changed, status=401)
    swap(service, sign(key["access"], "wrong", moment(), **more), status=401)


@pytest.mark.parametrize(("form", "more"), SIGNED)
@pytest.mark.parametrize("seconds", [-TTL - 5, TTL + 5])
def test_an_old_signature_is_worth_nothing(
    demo: Caller, service: Caller, form: str, more: dict[str, Any], seconds: int
) -> None:
    """CVE-2020-12692, for each place that a time can be in; and a time to come is not a way around it."""
    key = make(demo)
    swap(service, getattr(signing, form)(key["access"], key["secret"], moment(seconds), **more), status=401)


def test_times_that_are_none(demo: Caller, service: Caller) -> None:
    key = make(demo)
    access, secret = key["access"], key["secret"]
    far, near = moment(86400).isoformat(), moment(60).isoformat()
    swap(service, signing.version_2(access, secret, moment(), Timestamp="", Expires=far), status=401)
    swap(service, signing.version_2(access, secret, moment(), Timestamp="", Expires=""), status=401)
    for junk in ("soon", "0001-01-01T00:00:00+14:00", "9" * 11, "-1", "Mon, 99 Foo 2020"):
        swap(service, signing.version_2(access, secret, moment(), Timestamp=junk), status=401)
    swap(service, signing.version_2(access, secret, moment(), Timestamp="", Expires=near))
    swap(service, signing.version_4(access, secret, moment(), day="20010101"), status=401)
    swap(service, signing.version_4(access, secret, moment(-60), in_query=True, expires="30"), status=401)
    swap(service, signing.version_4(access, secret, moment(), in_query=True, expires="x"), status=401)
    swap(service, signing.version_4(access, secret, moment(), in_query=True, expires="9" * 30), status=401)


def test_odd_requests(demo: Caller, service: Caller) -> None:
    key = make(demo)
    signed = signing.version_2(key["access"], key["secret"], moment())
    swap(service, signed, name="ec2Credentials")
    assert "credentials" in swap(service, signed, name="other", status=400)["error"]["message"]
    faults: list[Json] = [{"params": {"a": 1}}, {"signature": None}, {"access": 5}, {"headers": []}]
    for broken in faults:
        swap(service, signed | broken, status=400)
    for params in ({}, {"SignatureVersion": "0"}, {"SignatureVersion": "2", "SignatureMethod": "MD5"}):
        swap(service, signed | {"params": signed["params"] | {"SignatureVersion": "9"} | params}, status=401)
    v4 = signing.version_4(key["access"], key["secret"], moment())
    for authorization in ("AWS4-HMAC-SHA256", "AWS4-HMAC-SHA256 Credential=a/b", "AWS4-HMAC-SHA256 ,=,,"):
        swap(service, v4 | {"headers": v4["headers"] | {"Authorization": authorization}}, status=401)
    swap(service, v4 | {"headers": {}}, status=401)
    swap(service, signed | {"access": "\u0000é", "signature": "é"}, status=401)


@pytest.mark.parametrize("kind", ["ec2", "s3"])
def test_only_services_may_ask(client: TestClient, admin: Caller, demo: Caller, service: Caller, kind: str) -> None:
    """OSSA-2025-002."""
    key = make(demo)
    sign = signing.version_4 if kind == "ec2" else signing.s3_version_4
    signed = sign(key["access"], key["secret"], moment())
    assert client.post(f"/identity/v3/{kind}tokens", json={"credentials": signed}).status_code == 401
    swap(demo, signed, kind=kind, status=403)
    swap(admin, signed, kind=kind)
    swap(service, signed, kind=kind)
    for method in ("GET", "HEAD"):
        service.ask(method, f"/{kind}tokens")
        demo.ask(method, f"/{kind}tokens", status=403)
    assert service.ask("GET", f"/{kind}tokens")[f"{kind}tokens"] == []


def http_date(seconds: float = 0) -> str:
    return moment(seconds).strftime("%a, %d %b %Y %H:%M:%S +0000")


def test_s3_signatures(demo: Caller, service: Caller) -> None:
    key = make(demo)
    access, secret = key["access"], key["secret"]
    good = [
        signing.s3_version_1(access, secret, http_date()),
        signing.s3_version_1(access, secret, "", amz_date=http_date()),
        signing.s3_version_1(access, secret, str(int(moment(60).timestamp()))),
        signing.s3_version_4(access, secret, moment()),
    ]
    for signed in good:
        token = swap(service, signed, kind="s3")
        assert (token.user_id, token.project_id) == (demo.user_id, demo.project_id)
        swap(service, signed | {"access": "unknown"}, kind="s3", status=401)
        swap(service, signed | {"signature": "x"}, kind="s3", status=401)
        swap(service, signed | {"token": base64.b64encode(b"GET\n\n\nnow\n/").decode()}, kind="s3", status=401)
    bad = [
        signing.s3_version_1(access, "wrong", http_date()),
        signing.s3_version_1(access, secret, http_date(-TTL - 5)),
        signing.s3_version_1(access, secret, http_date(), amz_date=http_date(-TTL - 5)),
        signing.s3_version_1(access, secret, ""),
        signing.s3_version_1(access, secret, str(int(moment(86400).timestamp()))),
        signing.s3_version_4(access, "wrong", moment()),
        signing.s3_version_4(access, secret, moment(-TTL - 5)),
        signing.s3_version_4(access, secret, moment(TTL + 5)),
        signing.s3_version_4(access, secret, moment(), service="ec2"),
        signing.s3_version_4(access, secret, moment(), day="20010101"),
    ]
    for signed in bad:
        swap(service, signed, kind="s3", status=401)
    for token in ("*", "AAA", base64.b64encode(b"\xff").decode(), "", base64.b64encode(b"AWS4-HMAC-SHA256").decode()):
        swap(service, good[0] | {"token": token}, kind="s3", status=401)
    swap(service, {"access": access}, kind="s3", status=400)


def test_refusals_are_one_answer(demo: Caller, service: Caller) -> None:
    key = make(demo)
    replies = [
        swap(service, signing.version_2(key["access"], "wrong", moment()), status=401),
        swap(service, signing.version_2("unknown", key["secret"], moment()), status=401),
        swap(service, signing.version_2(key["access"], key["secret"], moment(-86400)), status=401),
    ]
    assert len({str(reply) for reply in replies}) == 1


def test_other_credentials_do_not_sign(demo: Caller, service: Caller) -> None:
    body = {"credential": {"type": "cert", "blob": pair("AK"), "user_id": demo.user_id, "project_id": demo.project_id}}
    demo.ask("POST", "/credentials", body, status=201)
    swap(service, signing.version_2("AK", "sesame", moment()), status=401)
    made = make_ec2(demo, "AK")
    swap(service, signing.version_2("AK", "sesame", moment()))
    demo.ask("PATCH", f"/credentials/{made['id']}", {"credential": {"blob": pair("NEW", "newer")}})
    swap(service, signing.version_2("AK", "sesame", moment()), status=401)
    swap(service, signing.version_2("AK", "newer", moment()), status=401)
    swap(service, signing.version_2("NEW", "newer", moment()))


def test_a_key_pair_is_worth_what_its_user_has_there_now(admin: Caller, demo: Caller, service: Caller) -> None:
    """CVE-2012-5571 and CVE-2020-12689."""
    key = make(demo)
    path = f"/users/{demo.user_id}/credentials/OS-EC2"
    elsewhere = admin.ask("POST", path, {"tenant_id": admin.project_id}, status=201)["credential"]

    def status(of: Json, status: int) -> None:
        swap(service, signing.version_2(of["access"], of["secret"], moment()), status=status)

    status(elsewhere, 401)
    status(key, 200)
    admin.ask("PATCH", f"/projects/{demo.project_id}", {"project": {"enabled": False}})
    status(key, 401)
    admin.ask("PATCH", f"/projects/{demo.project_id}", {"project": {"enabled": True}})
    admin.ask("PATCH", f"/users/{demo.user_id}", {"user": {"enabled": False}})
    status(key, 401)
    admin.ask("PATCH", f"/users/{demo.user_id}", {"user": {"enabled": True}})
    status(key, 200)
    member = admin.ask("GET", "/roles?name=member")["roles"][0]["id"]
    admin.ask("DELETE", f"/projects/{demo.project_id}/users/{demo.user_id}/roles/{member}", status=204)
    status(key, 401)


def test_of_an_application_credential_it_is_worth_no_more_than_that(
    client: TestClient, admin: Caller, service: Caller
) -> None:
    ends = clock.now() + timedelta(minutes=5)
    credential = make_robot(admin, unrestricted=True, roles=[{"name": "member"}], expires_at=ends.isoformat())
    robot = enter_robot(client, credential)
    key = make(robot)
    demo_id = admin.ask("GET", "/projects?name=demo")["projects"][0]["id"]
    make(robot, project=demo_id, status=403)
    path = f"/users/{admin.user_id}/credentials/OS-EC2"
    others = make(admin)
    assert robot.ask("GET", path)["credentials"] == [key]
    robot.ask("GET", f"{path}/{others['access']}", status=404)
    robot.ask("DELETE", f"{path}/{others['access']}", status=404)
    token = swap(service, signing.version_2(key["access"], key["secret"], moment()))
    assert names(token) == {"member", "reader"}
    assert token.body["application_credential"]["id"] == credential["id"]
    assert token.body["expires_at"] <= ends.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    exchange = {"auth": {"identity": {"methods": ["token"], "token": {"id": token.token}}}}
    assert client.post("/identity/v3/auth/tokens", json=exchange).status_code == 403
    admin.ask("DELETE", f"/users/{admin.user_id}/application_credentials/{credential['id']}", status=204)
    token.ask("GET", "/auth/projects", status=401)
    swap(service, signing.version_2(key["access"], key["secret"], moment()), status=401)


def test_a_restricted_application_credential_makes_none(client: TestClient, demo: Caller) -> None:
    key = make(demo)
    path = f"/users/{demo.user_id}/credentials/OS-EC2"
    robot = enter_robot(client, make_robot(demo))
    make(robot, status=403)
    assert robot.ask("GET", path)["credentials"] == []
    robot.ask("GET", f"{path}/{key['access']}", status=404)
    robot.ask("DELETE", f"{path}/{key['access']}", status=404)
    assert demo.ask("GET", path)["credentials"] == [key]


@pytest.mark.parametrize("impersonation", [True, False])
def test_of_a_trust_it_is_worth_no_more_than_that(
    client: TestClient, admin: Caller, service: Caller, impersonation: bool
) -> None:
    trustee = someone(client, admin, "eve", "demo")
    trust = trusting.make(admin, trustee, impersonation=impersonation)
    delegate = trusting.enter(trustee, trust)
    key = make(delegate)
    assert key["trust_id"] == trust["id"]
    token = swap(service, signing.version_2(key["access"], key["secret"], moment()))
    assert token.user_id == (admin if impersonation else trustee).user_id
    assert token.project_id == admin.project_id
    assert names(token) == {"member", "reader"}
    assert token.body["OS-TRUST:trust"]["id"] == trust["id"]
    admin.ask("DELETE", f"/OS-TRUST/trusts/{trust['id']}", status=204)
    token.ask("GET", "/auth/projects", status=401)
    swap(service, signing.version_2(key["access"], key["secret"], moment()), status=401)


def test_a_trust_that_may_be_used_so_often_is(client: TestClient, admin: Caller, service: Caller) -> None:
    trustee = someone(client, admin, "eve", "demo")
    delegate = trusting.enter(trustee, trusting.make(admin, trustee, remaining_uses=2))
    key = make(delegate)
    swap(service, signing.version_2(key["access"], key["secret"], moment()))
    swap(service, signing.version_2(key["access"], key["secret"], moment()), status=401)


def test_of_an_oauth1_access_token_it_is_worth_no_more_than_that(
    client: TestClient, admin: Caller, service: Caller
) -> None:
    """CVE-2020-12690."""
    consumer = consuming.named(admin)
    granted = consuming.granted(client, consumer, admin, "member")
    bearer = consuming.enter(client, consumer, granted)
    key = make(bearer)
    others = make(admin)
    assert [row["access"] for row in key_pairs_of(bearer)] == [key["access"]]
    token = swap(service, signing.version_2(key["access"], key["secret"], moment()))
    assert names(token) == {"member", "reader"}
    assert token.body["OS-OAUTH1"]["access_token_id"] == granted["oauth_token"]
    assert names(swap(service, signing.version_2(others["access"], others["secret"], moment()))) == names(admin)
    path = f"/users/{admin.user_id}/OS-OAUTH1/access_tokens/{granted['oauth_token']}"
    admin.ask("DELETE", path, status=204)
    token.ask("GET", "/auth/projects", status=401)
    swap(service, signing.version_2(key["access"], key["secret"], moment()), status=401)


def key_pairs_of(caller: Caller) -> list[Json]:
    found: list[Json] = caller.ask("GET", f"/users/{caller.user_id}/credentials/OS-EC2")["credentials"]
    return found


CHAIN = ("admin", "manager", "member", "reader")


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    held=st.sets(st.sampled_from(CHAIN), min_size=1), left=st.sets(st.sampled_from(CHAIN)), asked=st.sampled_from(CHAIN)
)
def test_a_key_pair_is_never_worth_more_than_what_made_it(
    client: TestClient, admin: Caller, service: Caller, held: set[str], left: set[str], asked: str
) -> None:
    """Give `held`, delegate `asked`, make a key pair with that, take all but `left`: it is worth all that was delegated, or nothing."""
    role_ids = {role["name"]: role["id"] for role in admin.ask("GET", "/roles")["roles"]}
    for old in admin.ask("GET", "/users?name=tmp")["users"]:
        admin.ask("DELETE", f"/users/{old['id']}", status=204)
    user = admin.ask("POST", "/users", {"user": {"name": "tmp", "password": "pw"}}, status=201)["user"]["id"]
    path = f"/projects/{admin.project_id}/users/{user}/roles/"
    for name in held:
        admin.ask("PUT", path + role_ids[name], status=204)
    caller = log_in(client, "tmp", "pw", project="admin")
    if asked not in names(caller):
        return
    robot = enter_robot(client, make_robot(caller, unrestricted=True, roles=[{"name": asked}]))
    key = make(robot)
    for name in held - left:
        admin.ask("DELETE", path + role_ids[name], status=204)
    signed = signing.version_4(key["access"], key["secret"], moment())
    still = {below for name in held & left for below in CHAIN[CHAIN.index(name) :]}
    if not names(robot) <= still:
        swap(service, signed, status=401)
        return
    token = swap(service, signed)
    assert names(token) == names(robot)
    assert token.project_id == robot.project_id
    assert key_pairs_of(token) == [key]


WORDS = st.sampled_from(
    [
        "AWS4-HMAC-SHA256",
        "AWS4-HMAC-SHA256 Credential=A/20130524/r/s3/aws4_request, SignedHeaders=host",
        "1",
        "2",
        "host",
        "",
    ]
) | st.text(max_size=40)
NAMES = st.sampled_from(
    [
        "Authorization",
        "X-Amz-Date",
        "X-Amz-Algorithm",
        "X-Amz-Credential",
        "X-Amz-Expires",
        "SignatureVersion",
        "Timestamp",
    ]
) | st.text(max_size=9)
FIELDS = st.dictionaries(NAMES, WORDS | st.datetimes().map(lambda at: at.strftime("%Y%m%dT%H%M%SZ")), max_size=6)


@given(params=FIELDS, headers=FIELDS, words=st.lists(WORDS, min_size=4, max_size=4))
def test_junk_is_a_bad_signature_and_no_other_fault(params: Json, headers: Json, words: list[str]) -> None:
    request = SignedRequest(
        access="A", signature=words[0], host=words[1], verb=words[2], path=words[3], params=params, headers=headers
    )
    with pytest.raises(BadSignature):
        signatures.check(request, SECRET, TTL)


@given(lines=st.lists(WORDS, max_size=6), raw=st.text(max_size=20), signature=WORDS)
def test_junk_is_a_bad_s3_signature_and_no_other_fault(lines: list[str], raw: str, signature: str) -> None:
    for token in (raw, base64.b64encode("\n".join(lines).encode()).decode()):
        with pytest.raises(BadSignature):
            s3.check(SignedString(access="A", token=token, signature=signature), SECRET, TTL)


def published(monkeypatch: pytest.MonkeyPatch, at: datetime) -> None:
    monkeypatch.setattr("pileus.identity.ec2.moments.clock.now", lambda: at)


def test_amazons_example_of_version_2(monkeypatch: pytest.MonkeyPatch) -> None:
    published(monkeypatch, datetime(2011, 10, 3, 15, 19, 30))
    params = {
        "AWSAccessKeyId": "AKIAIOSFODNN7EXAMPLE",
        "Action": "DescribeJobFlows",
        "SignatureMethod": "HmacSHA256",
        "SignatureVersion": "2",
        "Timestamp": "2011-10-03T15:19:30",
        "Version": "2009-03-31",
    }
    request = SignedRequest(
        access="AKIAIOSFODNN7EXAMPLE",
        signature="i91nKc4PWAt0JJIdXwz9HxZCJDdiy6cf/Mj6vPxyYIs=",
        host="elasticmapreduce.amazonaws.com",
        params=params,
    )
    signatures.check(request, OLD_SECRET, TTL)
    with pytest.raises(BadSignature):
        signatures.check(request, SECRET, TTL)


def test_amazons_example_of_version_4(monkeypatch: pytest.MonkeyPatch) -> None:
    """`get-vanilla-query-order-key-case` of the published test suite."""
    published(monkeypatch, datetime(2015, 8, 30, 12, 36))
    signature = "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"
    parts = f"Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=host;x-amz-date, Signature={signature}"
    request = SignedRequest(
        access="AKIDEXAMPLE",
        signature=signature,
        params={"Param2": "value2", "Param1": "value1"},
        headers={
            "Host": "example.amazonaws.com",
            "X-Amz-Date": "20150830T123600Z",
            "Authorization": f"AWS4-HMAC-SHA256 {parts}",
        },
        body_hash="e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    )
    signatures.check(request, SECRET, TTL)
    with pytest.raises(BadSignature):
        signatures.check(request, OLD_SECRET, TTL)


def test_amazons_examples_for_s3(monkeypatch: pytest.MonkeyPatch) -> None:
    published(monkeypatch, datetime(2007, 3, 27, 19, 36, 42))
    text = "GET\n\n\nTue, 27 Mar 2007 19:36:42 +0000\n/awsexamplebucket1/photos/puppy.jpg"
    token = base64.b64encode(text.encode()).decode()
    signature = "qgk2+6Sv9/oM7G3qLEjTH1a1l1g="
    s3.check(SignedString(access="AKIAIOSFODNN7EXAMPLE", token=token, signature=signature), OLD_SECRET, TTL)
    published(monkeypatch, datetime(2013, 5, 24))
    digest = "7344ae5b7ee6c3e7e6b0fe0640412a37625d1fbfff95c48bbb2dc43964946972"
    text = f"AWS4-HMAC-SHA256\n20130524T000000Z\n20130524/us-east-1/s3/aws4_request\n{digest}"
    signature = "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"
    token = base64.b64encode(text.encode()).decode()
    s3.check(SignedString(access="AKIAIOSFODNN7EXAMPLE", token=token, signature=signature), OLD_SECRET, TTL)


def test_a_key_pair_ends_with_its_users_login(client: TestClient, demo: Caller, service: Caller) -> None:
    """A rescoped child of such a token does not outlive it."""
    key = make(demo)
    token = swap(service, signing.version_2(key["access"], key["secret"], moment()))
    exchange = {"auth": {"identity": {"methods": ["token"], "token": {"id": token.token}}, "scope": "unscoped"}}
    child = client.post("/identity/v3/auth/tokens", json=exchange).json()["token"]
    assert child["expires_at"] == token.body["expires_at"]
    assert child["methods"] == ["token", "ec2credential"]
    log_in(client, "demo")
