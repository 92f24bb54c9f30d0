"""OAuth 2.0 client credentials: by secret and by certificate; and tokens that are worth nothing without their certificate."""

import base64
import hashlib
import json
import shutil
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPSConnection
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from starlette.testclient import TestClient

from pileus.composition import SERVICES
from pileus.identity import internal as identity
from pileus.identity.federation.mappings.models import Mapping as Rules
from pileus.identity.manifest import MANIFEST
from pileus.identity.passwords.hashing import Hasher
from pileus.identity.tokens.authenticator import TokenAuthenticator
from pileus.identity.users import queries as users
from pileus.kernel import config
from pileus.kernel.config import ConfigError
from pileus.kernel.http.app import App
from pileus.kernel.http.certificate import thumbprint
from pileus.kernel.http.routes import PUBLIC
from tests.cloud import cloud_of
from tests.identity.conftest import QUICK
from tests.identity.fronts import FRONT, HEADER, Authority, der, field, front, serving
from tests.identity.people import Caller, log_in
from tests.whole import whole_cloud

Headers = Mapping[str, str]
Answer = tuple[int, Any]
PATH = "/identity/v3/OS-OAUTH2/token"
GRANT = {"grant_type": "client_credentials"}
FORM = {"content-type": "application/x-www-form-urlencoded"}


def words(client_id: str, secret: str) -> dict[str, str]:
    return {"authorization": "Basic " + base64.b64encode(f"{client_id}:{secret}".encode()).decode()}


@pytest.fixture
def credential(demo: Caller) -> dict[str, Any]:
    body = {"application_credential": {"name": "robot"}}
    made = demo.ask("POST", f"/users/{demo.user_id}/application_credentials", body, status=201)
    found: dict[str, Any] = made["application_credential"]
    return found


def test_a_token_by_secret(client: TestClient, demo: Caller, credential: dict[str, Any]) -> None:
    reply = client.post(PATH, data=GRANT, headers=words(credential["id"], credential["secret"]))
    assert reply.status_code == 200, reply.text
    given = reply.json()
    assert set(given) == {"access_token", "token_type", "expires_in"}
    assert given["token_type"] == "Bearer"
    assert 3590 <= given["expires_in"] <= 3600
    assert (reply.headers["cache-control"], reply.headers["pragma"]) == ("no-store", "no-cache")
    shown = demo.ask("GET", "/auth/tokens", headers={"x-subject-token": given["access_token"]})["token"]
    assert shown["methods"] == ["application_credential"]
    assert shown["application_credential"]["id"] == credential["id"]
    assert shown["project"]["id"] == demo.project_id


def test_bearer_in_place_of_x_auth_token(client: TestClient, credential: dict[str, Any], demo: Caller) -> None:
    reply = client.post(PATH, data=GRANT, headers=words(credential["id"], credential["secret"]))
    token, path = reply.json()["access_token"], "/identity/v3/auth/projects"
    for header in (f"Bearer {token}", f"bearer {token}"):
        assert client.get(path, headers={"authorization": header}).status_code == 200
    for header in (f"Basic {token}", f"Bearer {token}x", "Bearer", "Bearer ", token):
        assert client.get(path, headers={"authorization": header}).status_code == 401, header
    wrong = {"authorization": f"Bearer {token}", "x-auth-token": "rubbish"}
    assert client.get(path, headers=wrong).status_code == 401, "X-Auth-Token decides where both are there"


@pytest.mark.parametrize(
    "change", ["secret", "id", "empty", "none", "not basic", "not base64", "no colon", "not UTF-8"]
)
def test_an_unknown_client(client: TestClient, credential: dict[str, Any], change: str) -> None:
    headers = {
        "secret": words(credential["id"], "wrong"),
        "id": words("0" * 32, credential["secret"]),
        "empty": words("", ""),
        "none": {},
        "not basic": {"authorization": f"Digest {credential['id']}"},
        "not base64": {"authorization": "Basic %%%"},
        "no colon": {"authorization": "Basic " + base64.b64encode(b"abc").decode()},
        "not UTF-8": {"authorization": "Basic " + base64.b64encode(b"\xff:\xfe").decode()},
    }[change]
    reply = client.post(PATH, data=GRANT, headers=headers)
    assert reply.status_code == 401
    assert reply.json()["error"] == "invalid_client"
    assert reply.headers["www-authenticate"].startswith("Basic ")
    assert "access_token" not in reply.text


@pytest.mark.parametrize(
    ("body", "headers", "error"),
    [
        (b"grant_type=client_credentials", {"content-type": "application/json"}, "invalid_request"),
        (b'{"grant_type": "client_credentials"}', {"content-type": "application/json"}, "invalid_request"),
        (b"", FORM, "invalid_request"),
        (b"grant_type=", FORM, "invalid_request"),
        (b"grant_type=password", FORM, "unsupported_grant_type"),
        (b"grant_type=client_credentials&grant_type=client_credentials", FORM, "invalid_request"),
        (b"grant_type=client_credentials&x=%ff", FORM, "invalid_request"),
        (b"grant_type=client_credentials&x=" + b"y" * 20_000, FORM, "invalid_request"),
        (b"&".join(b"x%d=1" % n for n in range(100)), FORM, "invalid_request"),
        (b"grant_type=client_credentials&client_secret=s", FORM, "invalid_request"),
    ],
)
def test_a_bad_request(
    client: TestClient, credential: dict[str, Any], body: bytes, headers: dict[str, str], error: str
) -> None:
    known = words(credential["id"], credential["secret"])
    reply = client.post(PATH, content=body, headers=headers | known)
    assert (reply.status_code, reply.json()["error"]) == (400, error)


def test_only_post(client: TestClient) -> None:
    for method in ("GET", "HEAD", "PUT", "PATCH", "DELETE"):
        reply = client.request(method, PATH)
        assert (reply.status_code, reply.headers["allow"]) == (405, "POST")


def test_a_client_whose_user_is_gone(
    client: TestClient, admin: Caller, demo: Caller, credential: dict[str, Any]
) -> None:
    admin.ask("PATCH", f"/users/{demo.user_id}", {"user": {"enabled": False}})
    reply = client.post(PATH, data=GRANT, headers=words(credential["id"], credential["secret"]))
    assert (reply.status_code, reply.json()["error"]) == (401, "invalid_client")


RULES = [
    {
        "local": [
            {"user": {"id": "{0}", "name": "{1}", "type": "local", "domain": {"id": "{2}"}}},
        ],
        "remote": [
            {"type": "SSL_CLIENT_SUBJECT_DN_UID"},
            {"type": "SSL_CLIENT_SUBJECT_DN_CN"},
            {"type": "SSL_CLIENT_SUBJECT_DN_DC"},
            {"type": "SSL_CLIENT_ISSUER_DN_CN", "any_one_of": ["root"]},
        ],
    }
]


class Edge:
    """A cloud behind a TLS front: `through` the front with a certificate or without, or `past` it."""

    def __init__(self, client: TestClient, authority: Authority, secure: int, plain: int) -> None:
        self.client = client
        self.authority = authority
        self.secure = secure
        self.plain = plain

    def through(self, method: str, path: str, certificate: Path | None, headers: Headers, body: str = "") -> Answer:
        context = ssl.create_default_context(cafile=str(self.authority.file))
        if certificate is not None:
            context.load_cert_chain(certificate)
        return _ask(HTTPSConnection("127.0.0.1", self.secure, timeout=10, context=context), method, path, headers, body)

    def past(self, method: str, path: str, headers: Headers, body: str = "") -> Answer:
        return _ask(HTTPConnection("127.0.0.1", self.plain, timeout=10), method, path, headers, body)

    def grant(self, certificate: Path | None, client_id: str, **more: str) -> Answer:
        return self.through("POST", PATH, certificate, FORM, urlencode({**GRANT, "client_id": client_id, **more}))


def _ask(line: HTTPConnection, method: str, path: str, headers: Headers, body: str) -> Answer:
    try:
        line.request(method, path, body, dict(headers))
        reply = line.getresponse()
        text = reply.read()
        return reply.status, json.loads(text) if text else {}
    finally:
        line.close()


@pytest.fixture
def edge(seeded: Path, tmp_path: Path) -> Iterator[Edge]:
    shutil.copytree(seeded, tmp_path, dirs_exist_ok=True)
    believed = {"tls_client_header": HEADER, "trusted_proxies": [f"{FRONT}/32"]}
    authority = Authority(tmp_path, "root")
    with cloud_of(tmp_path, MANIFEST, overrides=believed) as cloud:
        cloud.add(Hasher(QUICK))
        with cloud.db.writing() as db:
            db.add(Rules(id="oauth2_mapping", rules=RULES, schema_version="1.0"))
        app = App(cloud, [MANIFEST])
        with serving(app) as plain, front(authority, plain) as secure:
            yield Edge(TestClient(app), authority, secure, plain)


@pytest.fixture
def demo_of(edge: Edge) -> Caller:
    return log_in(edge.client, "demo", project="demo")


@pytest.fixture
def certificate(edge: Edge, demo_of: Caller) -> Path:
    return edge.authority.issue(UID=demo_of.user_id, CN="demo", DC="default")


def bound(edge: Edge, certificate: Path, client_id: str) -> str:
    status, given = edge.grant(certificate, client_id)
    assert status == 200, given
    return str(given["access_token"])


PROJECTS = "/identity/v3/auth/projects"


def test_a_token_by_certificate(edge: Edge, certificate: Path, demo_of: Caller) -> None:
    token = bound(edge, certificate, demo_of.user_id)
    print_of = base64.urlsafe_b64encode(hashlib.sha256(der(certificate)).digest()).rstrip(b"=").decode()
    for sent in ({"x-auth-token": token}, {"authorization": f"Bearer {token}"}):
        assert edge.through("GET", PROJECTS, certificate, sent)[0] == 200
    headers = {"x-auth-token": token, "x-subject-token": token}
    status, shown = edge.through("GET", "/identity/v3/auth/tokens", certificate, headers)
    assert status == 200
    assert shown["token"]["oauth2_credential"] == {"x5t#S256": print_of}
    assert shown["token"]["methods"] == ["oauth2_credential"]
    assert shown["token"]["project"]["id"] == demo_of.project_id, "the default project"
    seen = demo_of.ask("GET", "/auth/tokens", headers={"x-subject-token": token})["token"]
    assert seen["oauth2_credential"] == {"x5t#S256": print_of}, "a service that validates it sees what to check"


def test_a_stolen_token_is_worth_nothing(edge: Edge, certificate: Path, demo_of: Caller) -> None:
    token = bound(edge, certificate, demo_of.user_id)
    known = {"x-auth-token": token}
    thief = edge.authority.issue(CN="thief")
    again = edge.authority.issue(UID=demo_of.user_id, CN="demo", DC="default")
    for other in (None, thief, again):
        assert edge.through("GET", PROJECTS, other, known)[0] == 401
    claimed = known | {HEADER: field(certificate)}
    assert edge.through("GET", PROJECTS, thief, claimed)[0] == 401, "the front replaces the header"
    assert edge.through("GET", PROJECTS, None, claimed)[0] == 401, "and takes it away"
    assert edge.past("GET", PROJECTS, known)[0] == 401
    assert edge.past("GET", PROJECTS, claimed)[0] == 401, "only the front is believed"
    forwarded = claimed | {"x-forwarded-for": FRONT, "forwarded": f"for={FRONT}", "x-real-ip": FRONT}
    assert edge.past("GET", PROJECTS, forwarded)[0] == 401, "and nobody is the front by saying so"


def test_what_a_bound_token_becomes_is_bound(edge: Edge, certificate: Path, demo_of: Caller) -> None:
    token = bound(edge, certificate, demo_of.user_id)
    body = {"auth": {"identity": {"methods": ["token"], "token": {"id": token}}, "scope": "unscoped"}}
    reply = edge.client.post("/identity/v3/auth/tokens", json=body)
    assert reply.status_code == 201
    child = {"x-auth-token": reply.headers["x-subject-token"]}
    assert edge.past("GET", PROJECTS, child)[0] == 401
    assert edge.through("GET", PROJECTS, certificate, child)[0] == 200


@pytest.mark.parametrize(
    "names",
    [
        {"UID": "{admin}", "CN": "demo", "DC": "default"},
        {"UID": "{demo}", "CN": "admin", "DC": "default"},
        {"UID": "{demo}", "CN": "demo", "DC": "other"},
        {"UID": "{demo}", "CN": "demo"},
        {"UID": "{demo};x", "CN": "demo", "DC": "default"},
        {"CN": "{demo}", "UID": "{demo}", "DC": "default"},
    ],
)
def test_the_certificate_of_somebody_else(edge: Edge, demo_of: Caller, names: dict[str, str]) -> None:
    admin = log_in(edge.client, "admin", project="admin")
    ids = {"demo": demo_of.user_id, "admin": admin.user_id}
    shown = edge.authority.issue(**{kind: value.format(**ids) for kind, value in names.items()})
    for client_id in (demo_of.user_id, admin.user_id, "nobody", ""):
        status, given = edge.grant(shown, client_id)
        assert (status, given["error"]) == (401, "invalid_client")


def test_the_issuer_counts(edge: Edge, demo_of: Caller, tmp_path: Path) -> None:
    """The front may let in clients of several authorities; the mapping says whose names are believed."""
    other = Authority(tmp_path, "elsewhere").issue(UID=demo_of.user_id, CN="demo", DC="default")
    form = urlencode({**GRANT, "client_id": demo_of.user_id})
    with serving_from(FRONT, edge.plain) as line:
        line.request("POST", PATH, form, FORM | {HEADER: field(other)})
        assert line.getresponse().status == 401
    ours = edge.authority.issue(UID=demo_of.user_id, CN="demo", DC="default")
    with serving_from(FRONT, edge.plain) as line:
        line.request("POST", PATH, form, FORM | {HEADER: field(ours)})
        assert line.getresponse().status == 200


def test_no_certificate_no_token(edge: Edge, certificate: Path, demo_of: Caller) -> None:
    assert edge.grant(None, demo_of.user_id)[0] == 401
    form = urlencode({**GRANT, "client_id": demo_of.user_id})
    assert edge.past("POST", PATH, FORM | {HEADER: field(certificate)}, form)[0] == 401


def test_a_disabled_user_has_no_client(edge: Edge, certificate: Path, demo_of: Caller) -> None:
    token = bound(edge, certificate, demo_of.user_id)
    admin = log_in(edge.client, "admin", project="admin")
    admin.ask("PATCH", f"/users/{demo_of.user_id}", {"user": {"enabled": False}})
    assert edge.through("GET", PROJECTS, certificate, {"x-auth-token": token})[0] == 401
    assert edge.grant(certificate, demo_of.user_id)[0] == 401


def test_forms_of_the_header(edge: Edge, certificate: Path, demo_of: Caller) -> None:
    token = bound(edge, certificate, demo_of.user_id)
    pem = certificate.read_text().partition("-----BEGIN PRIVATE")[0]
    good = (field(certificate), field(certificate).strip(":"), quote(pem))
    bad = ("", ":", "::", "nonsense", field(certificate)[:-9] + ":", quote(pem[:-40]), "%00", "é")
    for value, expected in [(value, 200) for value in good] + [(value, 401) for value in bad]:
        with serving_from(FRONT, edge.plain) as line:
            line.request("GET", PROJECTS, headers={"x-auth-token": token, HEADER: value.encode("latin-1")})
            assert line.getresponse().status == expected, value
    with serving_from(FRONT, edge.plain) as line:
        line.putrequest("GET", PROJECTS)
        for name, value in (("x-auth-token", token), (HEADER, field(certificate)), (HEADER, field(certificate))):
            line.putheader(name, value)
        line.endheaders()
        assert line.getresponse().status == 401, "a front that adds instead of replacing is not believed"


def test_every_service_asks_for_the_certificate(tmp_path: Path) -> None:
    """A request that needs no parameters, of each service: 401 without the certificate, something else with it."""
    shown = Authority(tmp_path, "root").issue(CN="robot")
    peer = "192.0.2.7"
    believed = {"tls_client_header": HEADER, "trusted_proxies": [peer]}
    with whole_cloud(tmp_path, seeds=True, overrides=believed) as cloud:
        with cloud.db.reading() as db:
            user_id, project_id = users.id_of(db, "demo", domain_id="default"), identity.project_id(db, "demo")
            assert user_id is not None and project_id is not None
            issued = cloud.part(TokenAuthenticator).issue(
                db, user_id, ("project", project_id), ("oauth2_credential",), thumbprint=thumbprint(der(shown))
            )
        assert issued is not None
        client = TestClient(App(cloud, SERVICES), client=(peer, 1))
        asked = 0
        for manifest in SERVICES:
            for route in manifest.routes:
                if route.method == "GET" and "{" not in route.path and PUBLIC not in route.rules and not route.since:
                    path, known = f"/{manifest.name}{route.path}", {"x-auth-token": issued[0]}
                    assert client.get(path, headers=known).status_code == 401, path
                    assert client.get(path, headers=known | {HEADER: field(shown)}).status_code != 401, path
                    asked += 1
        assert asked > 70


def test_a_front_that_is_no_address_is_refused_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"section .cloud.: 'front.example'"):
        config.load(tmp_path, None, {}, {"trusted_proxies": ["10.0.0.1", "front.example"]})


@contextmanager
def serving_from(address: str, port: int) -> Iterator[HTTPConnection]:
    line = HTTPConnection("127.0.0.1", port, timeout=10, source_address=(address, 0))
    try:
        yield line
    finally:
        line.close()
