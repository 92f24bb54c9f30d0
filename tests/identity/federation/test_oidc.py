"""OpenID Connect, against a real provider: bearer tokens, the code flow of browsers, keystoneauth's plugins."""

import base64
import json
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import jwt
import pytest
import requests
from keystoneauth1.identity.v3 import oidc
from keystoneauth1.session import Session
from starlette.testclient import TestClient

from pileus.identity.federation.login import outgoing
from pileus.identity.federation.login.oidc.provider import OpenIdProvider
from pileus.identity.federation.login.parties import Parties
from pileus.identity.federation.settings import OidcProvider
from pileus.identity.manifest import MANIFEST
from pileus.kernel.cloud import Cloud
from pileus.kernel.errors import Unauthorized
from pileus.kernel.http.app import App
from tests.identity.federation.conftest import CLOUD, WEB, OpenId, free_port
from tests.identity.federation.ground import cloud_with, fields, rule, served, set_up
from tests.identity.federation.openid_provider import OTHER_SECRET, PASSWORD, SECRET
from tests.identity.people import Caller, log_in

HERE = WEB.format("op", "openid")
AUTH = "/identity/v3/OS-FEDERATION/identity_providers/{}/protocols/openid/auth"
DASHBOARD = "http://horizon.example.org/auth/websso/"
RULES = [
    rule(
        [{"type": "OIDC-sub"}, {"type": "OIDC-name"}, {"type": "HTTP_OIDC_EMAIL"}],
        {"user": {"id": "{0}", "name": "{1}", "email": "{2}"}},
    ),
    rule([{"type": "OIDC-groups"}], {"groups": "{0}", "domain": {"id": "default"}}),
]


def settings(openid: OpenId) -> str:
    """`op`: JWT access tokens; `asks`: each token is asked about at the provider, and its claims fetched."""
    common = f'type = "oidc"\nissuer = "{openid.address}"\nclient_id = "pileus"\nclient_secret = "{SECRET}"\n'
    return (
        f'trusted_dashboards = ["{DASHBOARD}"]\n'
        f'[identity.federation."op/openid"]\n{common}'
        f'[identity.federation."asks/openid"]\n{common}introspect = true\nuserinfo = true\n'
    )


@pytest.fixture
def cloud(seeded: Path, tmp_path: Path, openid: OpenId) -> Iterator[Cloud]:
    shutil.copytree(seeded, tmp_path, dirs_exist_ok=True)
    with cloud_with(tmp_path, settings(openid), CLOUD) as cloud:
        yield cloud


@pytest.fixture
def ready(admin: Caller, openid: OpenId) -> Caller:
    """The administrator, after having set up both providers."""
    set_up(admin, "op", "openid", RULES, remote_ids=[openid.address])
    set_up(admin, "asks", "openid", [rule([{"type": "OIDC-name"}], {"user": {"name": "{0}"}})])
    admin.ask("POST", "/groups", {"group": {"name": "staff"}}, status=201)
    admin.ask("POST", "/groups", {"group": {"name": "admins"}}, status=201)
    return admin


def tokens(openid: OpenId, client: str = "pileus", secret: str = SECRET) -> dict[str, str]:
    """Of Diana, for one of the provider's clients."""
    form = {"grant_type": "password", "username": "diana", "password": PASSWORD, "scope": "openid profile email"}
    reply = httpx2.post(f"{openid.address}/token", data=form, auth=(client, secret))
    found: dict[str, str] = reply.json()
    return found


def forged(openid: OpenId, *, key: Any = None, headers: Any = None, algorithm: str = "RS256", **claims: Any) -> str:
    """Signed with the provider's own key unless another is given."""
    keys = json.loads((openid.folder / "keys.json").read_text())["keys"]
    own = next(each for each in keys if each["kty"] == "RSA")
    own = {name: own[name] for name in ("kty", "kid", "n", "e", "d")}
    now = int(time.time())
    good = {
        "iss": openid.address,
        "aud": "pileus",
        "sub": "s",
        "name": "Eve",
        "email": "e@e",
        "iat": now,
        "exp": now + 60,
    }
    kept = {name: value for name, value in {**good, **claims}.items() if value is not None}
    return jwt.encode(kept, key or jwt.PyJWK(own).key, algorithm, headers={"kid": own["kid"], **(headers or {})})


def bear(client: TestClient, token: str, idp: str = "op") -> Any:
    return client.post(AUTH.format(idp), headers={"authorization": f"Bearer {token}"})


@pytest.mark.parametrize("kind", ["access_token", "id_token"])
def test_bearer(client: TestClient, ready: Caller, openid: OpenId, kind: str) -> None:
    reply = bear(client, tokens(openid)[kind])
    assert reply.status_code == 201, reply.text
    token = reply.json()["token"]
    assert token["user"]["name"] == "Diana Prince" and token["methods"] == ["openid"]
    groups = ready.ask("GET", "/groups?name=staff")["groups"]
    # Of the two groups that are said only one is here: "a;admins" is one strange name, not a way to become an admin.
    assert token["user"]["OS-FEDERATION"]["groups"] == [{"id": groups[0]["id"]}]
    assert ready.ask("GET", f"/users/{token['user']['id']}")["user"]["email"] == "diana@example.org"


def test_a_token_that_only_the_provider_can_read(client: TestClient, ready: Caller, openid: OpenId) -> None:
    good = tokens(openid)["access_token"]
    reply = bear(client, good, "asks")
    assert reply.status_code == 201, reply.text
    assert reply.json()["token"]["user"]["name"] == "Diana Prince"
    assert bear(client, tokens(openid, "other", OTHER_SECRET)["access_token"], "asks").status_code == 401
    assert bear(client, "opaque-nonsense", "asks").status_code == 401
    assert bear(client, forged(openid), "asks").status_code == 401


def test_a_good_forgery_is_believed(client: TestClient, ready: Caller, openid: OpenId) -> None:
    """So that those below fail for what is wrong with them."""
    assert bear(client, forged(openid)).status_code == 201
    assert bear(client, forged(openid, aud=["x", "pileus"], name="Mallory", sub="m")).status_code == 201


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "http://evil"},
        {"iss": None},
        {"aud": "other"},
        {"aud": None},
        {"aud": []},
        {"exp": 1},
        {"exp": None},
        {"exp": "never"},
        {"nbf": 9999999999},
        {"sub": None},
        {"name": None},
        {"headers": {"kid": "unknown"}},
        {"algorithm": "HS256", "key": "x" * 64},
    ],
    ids=str,
)
def test_bad_tokens(client: TestClient, ready: Caller, openid: OpenId, claims: Any) -> None:
    assert bear(client, forged(openid, **claims)).status_code == 401


def test_other_bad_tokens(client: TestClient, ready: Caller, openid: OpenId) -> None:
    from cryptography.hazmat.primitives.asymmetric import rsa

    stranger = rsa.generate_private_key(65537, 2048)
    head, body, signature = forged(openid).split(".")
    public = next(key for key in httpx2.get(f"{openid.address}/jwks.json").json()["keys"] if key["kty"] == "RSA")
    none = base64.urlsafe_b64encode(b'{"alg":"none","typ":"JWT"}').decode()
    bad = [
        f"{none}.{body}.",
        f"{none}.{body}.{signature}",
        forged(openid, key=stranger),
        f"{head}.{body}.{signature[::-1]}",
        f"{head}.{forged(openid, name='Admin').split('.')[1]}.{signature}",
        f"{head}.{body}.",
        forged(openid, key=public["n"].encode(), algorithm="HS256"),  # the public key as a secret
        tokens(openid, "other", OTHER_SECRET)["access_token"],
        "",
        "x",
        "a.b.c",
        "é",
        "." * 9000,
    ]
    for token in bad:
        reply = client.post(AUTH.format("op"), headers={b"authorization": f"Bearer {token}".encode()})
        assert reply.status_code == 401, token
    for header in ({}, {"authorization": "Basic x"}, {"x-auth-token": "x"}):
        assert client.post(AUTH.format("op"), headers=header).headers["www-authenticate"] == "Bearer"
    assert client.get(AUTH.format("op"), headers={"x-remote-user": "admin", "OIDC-sub": "x"}).status_code == 401


def test_a_dead_provider_refuses_and_nothing_breaks(
    client: TestClient, ready: Caller, cloud: Cloud, openid: OpenId
) -> None:
    dead = OidcProvider(issuer=f"http://127.0.0.1:{free_port()}", client_id="pileus")
    cloud.part(Parties)._oidc["op/openid"] = OpenIdProvider(dead)
    assert bear(client, tokens(openid)["access_token"]).status_code == 401
    reply = client.get(HERE, params={"origin": DASHBOARD}, follow_redirects=False)
    assert reply.status_code == 401


@pytest.mark.parametrize("issuer", ["http://idp.example.org", "ftp://127.0.0.1", "https://127.0.0.1:1"])
def test_only_https_leaves_this_host(
    client: TestClient, ready: Caller, cloud: Cloud, openid: OpenId, issuer: str
) -> None:
    cloud.part(Parties)._oidc["op/openid"] = OpenIdProvider(OidcProvider(issuer=issuer, client_id="pileus"))
    assert bear(client, tokens(openid)["access_token"]).status_code == 401


def go(client: TestClient, path: str = HERE) -> tuple[str, dict[str, str]]:
    """Away to the provider, and its answer: where it sends the browser, with which query."""
    reply = client.get(path, params={"origin": DASHBOARD}, follow_redirects=False)
    assert reply.status_code == 302, reply.text
    asked = parse_qs(urlsplit(reply.headers["location"]).query)
    assert asked["code_challenge_method"] == ["S256"] and asked["nonce"] and asked["state"]
    back = httpx2.get(reply.headers["location"]).headers["location"]
    return back.partition("?")[0], {name: values[0] for name, values in parse_qs(urlsplit(back).query).items()}


@pytest.mark.parametrize("path", [HERE, "/identity/v3/auth/OS-FEDERATION/websso/openid"])
def test_code_flow(client: TestClient, ready: Caller, openid: OpenId, path: str) -> None:
    if path != HERE:
        links = client.get(path, params={"origin": DASHBOARD}).text
        assert f"{CLOUD}{HERE}?origin=" in links and "script" not in links.partition("<body>")[2]
        path = HERE
    there, answer = go(client, path)
    assert there == CLOUD + HERE
    reply = client.get(HERE, params=answer)
    assert reply.status_code == 200, reply.text
    action, sent = fields(reply.text)
    assert action == DASHBOARD
    shown = client.get(
        "/identity/v3/auth/tokens", headers={"x-auth-token": sent["token"], "x-subject-token": sent["token"]}
    )
    assert shown.json()["token"]["user"]["name"] == "Diana Prince"
    assert client.get(HERE, params=answer).status_code == 401  # a second time


def test_bad_ways_back(client: TestClient, ready: Caller, cloud: Cloud, openid: OpenId) -> None:
    _, answer = go(client)
    _, later = go(client)
    elsewhere = TestClient(App(cloud, [MANIFEST]))
    bad = [
        {"state": answer["state"]},
        {"state": answer["state"], "error": "access_denied"},
        {"code": answer["code"], "state": "x"},
        {"code": answer["code"], "state": ""},
        answer | {"state": later["state"]},  # a code for another nonce and verifier: injected
        answer | {"iss": "http://evil"},
        answer | {"code": answer["code"][:-9]},
    ]
    for query in bad:
        reply = client.get(HERE, params=query)
        assert reply.status_code == 401, query
        assert "form" not in reply.text
    assert elsewhere.get(HERE, params=answer).status_code == 401  # somebody else's browser
    assert client.get(WEB.format("asks", "openid"), params=answer).status_code == 401


def test_an_id_token_of_another_login(cloud: Cloud, openid: OpenId) -> None:
    """What the nonce and the authorized party are for, when nothing before them (PKCE, the provider) has noticed."""
    settings = cloud.part(Parties).settings("op", "openid")
    assert isinstance(settings, OidcProvider)
    provider, mine = cloud.part(Parties).oidc("op", "openid", settings), ("pileus",)
    assert provider.verify(forged(openid, nonce="n"), mine, "n")["sub"] == "s"
    for claims in ({"nonce": "other"}, {"nonce": None}, {"nonce": "n", "azp": "other", "aud": ["pileus", "other"]}):
        with pytest.raises(Unauthorized):
            provider.verify(forged(openid, **claims), mine, "n")


@pytest.mark.parametrize(
    "said",
    [
        {"aud": "other"},
        {"aud": ["other"]},
        {"aud": None, "client_id": "other"},
        {"active": False},
        {"active": "true"},
        {"iss": "http://evil"},
        {"exp": 1},
        {"sub": None},
    ],
    ids=str,
)
def test_what_the_provider_says_of_a_token(
    cloud: Cloud, openid: OpenId, monkeypatch: pytest.MonkeyPatch, said: Any
) -> None:
    settings = cloud.part(Parties).settings("asks", "openid")
    assert isinstance(settings, OidcProvider)
    provider = cloud.part(Parties).oidc("asks", "openid", settings)
    good = {"active": True, "aud": ["x", "pileus"], "sub": "s", "iss": openid.address, "exp": time.time() + 60}
    answer: dict[str, Any] = {}
    monkeypatch.setattr(outgoing, "post", lambda *_, **__: answer)
    answer |= good
    assert provider.introspect("t")["sub"] == "s"
    answer |= said
    if said.get("aud", "") is None:
        del answer["aud"]
    with pytest.raises(Unauthorized):
        provider.introspect("t")


def test_the_cookie_is_sealed_and_of_this_way_only(client: TestClient, ready: Caller, openid: OpenId) -> None:
    _, answer = go(client)
    cookie = next(cookie for cookie in client.cookies.jar if cookie.name.startswith("pileus-login-"))
    assert cookie.path == HERE and cookie.has_nonstandard_attr("HttpOnly")
    assert DASHBOARD not in (cookie.value or "")
    client.cookies.clear()
    client.cookies.set(cookie.name, (cookie.value or "")[:-4] + "AAAA", path=HERE)
    assert client.get(HERE, params=answer).status_code == 401


def test_keystoneauth(cloud: Cloud, openid: OpenId, seeded: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    """The unmodified client, over HTTP."""
    folder, port = tmp_path_factory.mktemp("served"), free_port()
    shutil.copytree(seeded, folder, dirs_exist_ok=True)
    address = f"http://127.0.0.1:{port}"
    with cloud_with(folder, settings(openid), address) as over_http, served(App(over_http, [MANIFEST]), port):
        admin = log_in(TestClient(App(over_http, [MANIFEST])), "admin", project="admin")
        projects = [{"name": "hers", "roles": [{"name": "member"}]}]
        home = set_up(admin, "op", "openid", [*RULES, rule([{"type": "OIDC-sub"}], {"projects": projects})])[
            "domain_id"
        ]
        common = {
            "auth_url": f"{address}/identity/v3",
            "identity_provider": "op",
            "protocol": "openid",
            "project_name": "hers",
            "project_domain_id": home,
        }
        by_token = oidc.OidcAccessToken(**common, access_token=tokens(openid)["access_token"])
        by_password = oidc.OidcPassword(
            **common,
            client_id="pileus",
            client_secret=SECRET,
            access_token_type="access_token",
            access_token_endpoint=f"{openid.address}/token",
            username="diana",
            password=PASSWORD,
        )
        for plugin in (by_token, by_password):
            with requests.Session() as http:
                session = Session(auth=plugin, session=http)
                access = plugin.get_access(session)
                assert access.username == "Diana Prince" and access.project_name == "hers"
                assert set(access.role_names or ()) == {"member", "reader"}
                found = session.get(f"{address}/identity/v3/OS-FEDERATION/projects").json()["projects"]
                assert [project["name"] for project in found] == ["hers"]
