"""SAML2, against a real provider: browsers, ECP clients, keystoneauth's plugin; and everything that is wrong with an answer."""

import base64
import random
import re
import shutil
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
import requests
from keystoneauth1.extras._saml2 import V3Saml2Password
from keystoneauth1.session import Session
from starlette.testclient import TestClient

from pileus.identity.federation.login.parties import Parties
from pileus.identity.federation.login.saml2 import party as party_module
from pileus.identity.federation.login.saml2.party import Saml2Party
from pileus.identity.federation.settings import Saml2Provider
from pileus.identity.manifest import MANIFEST
from pileus.kernel.cloud import Cloud
from pileus.kernel.http.app import App
from tests.identity.federation.conftest import CLOUD, WEB, free_port
from tests.identity.federation.ground import cloud_with, fields, rule, served, set_up
from tests.identity.federation.saml_provider import PASSWORD, SamlProvider, running
from tests.identity.people import Caller, log_in

HERE = WEB.format("shib", "saml2")
AUTH = "/identity/v3/OS-FEDERATION/identity_providers/shib/protocols/saml2/auth"
DASHBOARD = "http://horizon.example.org/auth/websso/"
PAOS = 'ver="urn:liberty:paos:2003-08";"urn:oasis:names:tc:SAML:2.0:profiles:SSO:ecp"'
ASK = {"accept": "text/html, application/vnd.paos+xml", "paos": PAOS}
MEDIA = {"content-type": "application/vnd.paos+xml"}
RULES = [
    rule(
        [{"type": "MELLON_NAME_ID"}, {"type": "givenName"}, {"type": "mail"}],
        {"user": {"id": "{0}", "name": "{1}", "email": "{2}"}},
    ),
    rule([{"type": "eduPersonAffiliation"}], {"groups": "{0}", "domain": {"id": "default"}}),
]


@pytest.fixture(scope="module")
def idp(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SamlProvider]:
    with running(tmp_path_factory.mktemp("saml")) as provider:
        yield provider


def settings(idp: SamlProvider) -> str:
    return (
        f'trusted_dashboards = ["{DASHBOARD}"]\n[identity.federation."shib/saml2"]\n'
        f'type = "saml2"\nmetadata_file = "{idp.metadata}"\nentity_id = "{idp.entity_id}"\n'
    )


@pytest.fixture
def cloud(seeded: Path, tmp_path: Path, idp: SamlProvider) -> Iterator[Cloud]:
    shutil.copytree(seeded, tmp_path, dirs_exist_ok=True)
    with cloud_with(tmp_path, settings(idp), CLOUD) as cloud:
        yield cloud


@pytest.fixture
def ready(admin: Caller, client: TestClient, idp: SamlProvider) -> Caller:
    set_up(admin, "shib", "saml2", RULES, remote_ids=[idp.entity_id])
    for name in ("staff", "admins"):
        admin.ask("POST", "/groups", {"group": {"name": name}}, status=201)
    idp.trust(client.get(AUTH.replace("/auth", "/metadata")).text)
    return admin


def party(cloud: Cloud) -> Saml2Party:
    found = cloud.part(Parties).settings("shib", "saml2")
    assert isinstance(found, Saml2Provider)
    return cloud.part(Parties).saml2("shib", "saml2", found)


def away(client: TestClient) -> tuple[str, str]:
    """To the provider with a browser, and what it gives the browser to bring back: the response, the relay state."""
    reply = client.get(HERE, params={"origin": DASHBOARD}, follow_redirects=False)
    assert reply.status_code == 302, reply.text
    response, state, there = httpx2.get(reply.headers["location"]).text.split("\n")
    assert there == CLOUD + HERE
    return response, state


def back(client: TestClient, response: str, state: str) -> Any:
    return client.post(HERE, data={"SAMLResponse": response, "RelayState": state})


def test_a_browser(client: TestClient, ready: Caller) -> None:
    response, state = away(client)
    reply = back(client, response, state)
    assert reply.status_code == 200, reply.text
    action, sent = fields(reply.text)
    assert action == DASHBOARD
    mine = {"x-auth-token": sent["token"], "x-subject-token": sent["token"]}
    token = client.get("/identity/v3/auth/tokens", headers=mine).json()["token"]
    assert token["user"]["name"] == "Diana" and token["methods"] == ["saml2"]
    staff = ready.ask("GET", "/groups?name=staff")["groups"][0]["id"]
    assert token["user"]["OS-FEDERATION"]["groups"] == [{"id": staff}]
    assert back(client, response, state).status_code == 401  # the same once more


def test_an_answer_to_another_browser(client: TestClient, ready: Caller, cloud: Cloud) -> None:
    response, state = away(client)
    elsewhere = TestClient(App(cloud, [MANIFEST]))
    other_response, other_state = away(elsewhere)
    assert back(elsewhere, response, state).status_code == 401
    assert back(elsewhere, response, other_state).status_code == 401
    assert back(elsewhere, other_response, "").status_code == 401
    assert back(elsewhere, other_response, other_state).status_code == 200


def ecp(client: TestClient, idp: SamlProvider) -> str:
    """The answer that an ECP client gets from the provider."""
    question = client.get(AUTH, headers=ASK)
    assert question.status_code == 200 and question.headers["content-type"] == "application/vnd.paos+xml"
    assert f'responseConsumerURL="{CLOUD}{AUTH}"' in question.text
    body = re.sub(r"<S:Header>.*</S:Header>", "", question.text, flags=re.DOTALL)
    answer = httpx2.post(
        f"{idp.address}/soap", content=body, auth=("diana", PASSWORD), headers={"content-type": "text/xml"}
    )
    assert answer.status_code == 200
    return answer.text


def test_ecp(client: TestClient, ready: Caller, idp: SamlProvider) -> None:
    answer = ecp(client, idp)
    reply = client.post(AUTH, content=answer, headers=MEDIA)
    assert reply.status_code == 201, reply.text
    assert reply.json()["token"]["user"]["name"] == "Diana"
    assert client.post(AUTH, content=answer, headers=MEDIA).status_code == 401  # replayed
    assert client.get(AUTH).status_code == 401
    assert client.post(AUTH, content=b"<x/>", headers=MEDIA).status_code == 401
    # What was asked for by an ECP client does not work in a browser.
    _, state = away(client)
    body = re.search(r"<S:Body>(.*)</S:Body>", ecp(client, idp), re.DOTALL)
    assert body is not None
    assert back(client, base64.b64encode(body[1].encode()).decode(), state).status_code == 401


def asked(client: TestClient) -> tuple[str, str]:
    """A request that waits for its answer: its id, and the relay state."""
    reply = client.get(HERE, params={"origin": DASHBOARD}, follow_redirects=False)
    query = parse_qs(urlsplit(reply.headers["location"]).query)
    from saml2.s_utils import decode_base64_and_inflate

    found = re.search(r'ID="([^"]+)"', decode_base64_and_inflate(query["SAMLRequest"][0]).decode())
    assert found is not None
    return found[1], query["RelayState"][0]


def encoded(xml: str) -> str:
    return base64.b64encode(xml.encode()).decode()


def entity(cloud: Cloud) -> str:
    return party(cloud).entity_id


ASSERTION = re.compile(r"<(\w+:)?Assertion .*</(\w+:)?Assertion>", re.DOTALL)
SIGNATURE = re.compile(r"<(\w+:)?Signature .*</(\w+:)?Signature>|<(\w+:)?Signature>.*</(\w+:)?Signature>", re.DOTALL)


def _of(pattern: re.Pattern[str], xml: str) -> str:
    found = pattern.search(xml)
    assert found is not None
    return found[0]


def evil(xml: str) -> str:
    """The assertion with another subject, without a signature, under another name."""
    fake = SIGNATURE.sub("", _of(ASSERTION, xml)).replace("diana-persistent", "admin")
    return re.sub(r' ID="[^"]*"', ' ID="_evil"', fake, count=1)


def with_dtd(xml: str) -> str:
    return '<?xml version="1.0"?><!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]>' + xml.partition("?>")[
        2
    ].replace("diana@example.org", "&x;")


def bomb(xml: str) -> str:
    entities = '<!ENTITY a "aaaaaaaaaa">' + "".join(
        f'<!ENTITY {chr(98 + i)} "{f"&{chr(97 + i)};" * 10}">' for i in range(9)
    )
    return f'<?xml version="1.0"?><!DOCTYPE r [{entities}]>' + xml.partition("?>")[2].replace("Diana", "&j;")


TAMPERED: dict[str, Callable[[str], str]] = {
    "another subject": lambda xml: xml.replace("diana-persistent", "admin"),
    "another attribute": lambda xml: xml.replace("diana@example.org", "admin@example.org"),
    "no signature": lambda xml: SIGNATURE.sub("", xml),
    "an empty signature": lambda xml: re.sub(r"(SignatureValue>)[^<]*<", r"\1<", xml),
    "a comment in the subject": lambda xml: xml.replace("diana-persistent", "admin<!-- -->diana-persistent"),
    "an evil assertion first": lambda xml: xml.replace(_of(ASSERTION, xml), evil(xml) + _of(ASSERTION, xml)),
    "an evil assertion last": lambda xml: xml.replace(_of(ASSERTION, xml), _of(ASSERTION, xml) + evil(xml)),
    "the good one inside the evil one": lambda xml: xml.replace(
        _of(ASSERTION, xml), re.sub(r"(</(\w+:)?Assertion>)$", lambda end: _of(ASSERTION, xml) + end[1], evil(xml))
    ),
    "the good one in an extension": lambda xml: xml.replace(
        _of(ASSERTION, xml),
        f'<p:Extensions xmlns:p="urn:oasis:names:tc:SAML:2.0:protocol">{_of(ASSERTION, xml)}</p:Extensions>{evil(xml)}',
    ),
    "the good one in the signature": lambda xml: xml.replace(
        _of(ASSERTION, xml),
        evil(xml).replace(
            "Subject>",
            "Subject><d:Object xmlns:d='http://www.w3.org/2000/09/xmldsig#'>" + _of(ASSERTION, xml) + "</d:Object>",
            1,
        ),
    ),
    "the same ID twice": lambda xml: re.sub(
        r'(<[\w:]*Response [^>]*)ID="[^"]*"',
        lambda head: head[1] + 'ID="' + _of(re.compile(r'(?<=Assertion ).*?ID="([^"]*)"', re.S), xml).split('ID="')[1],
        xml,
    ),
    "a file": with_dtd,
    "a bomb": bomb,
    "no XML": lambda _: "hello",
    "cut off": lambda xml: xml[:-40],
    "another root": lambda xml: _of(ASSERTION, xml),
    "a failure": lambda xml: xml.replace("status:Success", "status:Responder"),
    "no status of success, but a version": lambda xml: xml.replace('Version="2.0"', 'Version="1.1"', 1),
}


@pytest.mark.parametrize("how", TAMPERED)
def test_tampered_answers(client: TestClient, ready: Caller, how: str) -> None:
    response, state = away(client)
    xml = base64.b64decode(response).decode()
    changed = TAMPERED[how](xml)
    assert changed != xml
    reply = back(client, encoded(changed), state)
    assert reply.status_code == 401, reply.text
    assert back(client, response, state).status_code == 200  # it is the change that was refused


WRONG: dict[str, Callable[[SamlProvider, Cloud, str], str]] = {
    "another audience": lambda idp, cloud, ask: idp.answer(ask, CLOUD + HERE, "http://other.example.org/sp"),
    "another recipient": lambda idp, cloud, ask: idp.answer(ask, CLOUD + AUTH, entity(cloud)),
    "another recipient, put into the right envelope": lambda idp, cloud, ask: idp.answer(
        ask, CLOUD + AUTH, entity(cloud)
    ).replace(f'Destination="{CLOUD}{AUTH}"', f'Destination="{CLOUD}{HERE}"'),
    "another request": lambda idp, cloud, ask: idp.answer("_other", CLOUD + HERE, entity(cloud)),
    "nobody asked": lambda idp, cloud, ask: idp.answer(None, CLOUD + HERE, entity(cloud)),
    "only the outside is signed": lambda idp, cloud, ask: idp.answer(
        ask, CLOUD + HERE, entity(cloud), sign_assertion=False, sign_response=True
    ),
    "not signed": lambda idp, cloud, ask: idp.answer(ask, CLOUD + HERE, entity(cloud), sign_assertion=False),
    "another issuer": lambda idp, cloud, ask: idp.answer(
        ask, CLOUD + HERE, entity(cloud), issuer=_issuer("http://evil/idp")
    ),
    "a weak signature": lambda idp, cloud, ask: idp.answer(
        ask, CLOUD + HERE, entity(cloud), sign_alg="http://www.w3.org/2000/09/xmldsig#rsa-sha1"
    ),
    "a weak digest": lambda idp, cloud, ask: idp.answer(
        ask, CLOUD + HERE, entity(cloud), digest_alg="http://www.w3.org/2000/09/xmldsig#sha1"
    ),
}


def _issuer(name: str) -> Any:
    from saml2.saml import Issuer

    return Issuer(text=name)


@pytest.mark.parametrize("how", WRONG)
def test_answers_that_are_not_for_us(
    client: TestClient, ready: Caller, cloud: Cloud, idp: SamlProvider, how: str
) -> None:
    request_id, state = asked(client)
    assert back(client, encoded(WRONG[how](idp, cloud, request_id)), state).status_code == 401
    assert back(client, encoded(idp.answer(request_id, CLOUD + HERE, entity(cloud))), state).status_code == 200


def test_an_answer_of_a_stranger_with_the_same_name(
    client: TestClient, ready: Caller, cloud: Cloud, idp: SamlProvider, tmp_path: Path
) -> None:
    stranger = SamlProvider(tmp_path / "stranger", int(urlsplit(idp.address).port or 0))
    stranger.trust(party(cloud).metadata())
    request_id, state = asked(client)
    assert back(client, encoded(stranger.answer(request_id, CLOUD + HERE, entity(cloud))), state).status_code == 401


@pytest.mark.parametrize("minutes", [-10, 10])
def test_the_time_window(
    client: TestClient, ready: Caller, cloud: Cloud, idp: SamlProvider, monkeypatch: pytest.MonkeyPatch, minutes: int
) -> None:
    """An answer that was made ten minutes ago, or will be."""
    import saml2.time_util as library_time

    request_id, state = asked(client)
    gmtime, shift = time.gmtime, minutes * 60

    class Shifted(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> "Shifted":
            return super().now(tz) + timedelta(seconds=shift)

    with monkeypatch.context() as patch:
        patch.setattr(library_time, "datetime", Shifted)
        patch.setattr(time, "gmtime", lambda at=None: gmtime((time.time() if at is None else at) + shift))
        answer = idp.answer(request_id, CLOUD + HERE, entity(cloud))
    assert back(client, encoded(answer), state).status_code == 401


# pysaml2 leaves files of keys to the garbage collector when it gives up.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_random_damage(client: TestClient, ready: Caller, idp: SamlProvider) -> None:
    """A byte here and there: refused, and never an error of ours. (Damage to what means nothing would let her in: then it is hers.)"""
    dice, answer = random.Random(7), ecp(client, idp).encode()
    for _ in range(40):
        changed = bytearray(answer)
        for _ in range(dice.randint(1, 3)):
            changed[dice.randrange(len(changed))] = dice.randrange(256)
        reply = client.post(AUTH, content=bytes(changed), headers=MEDIA)
        assert reply.status_code == 401 or reply.json()["token"]["user"]["name"] == "Diana"


def test_odd_posts(client: TestClient, ready: Caller) -> None:
    _, state = away(client)
    for response in ("", "%%%", "é", "AAAA", "eJwDAAAAAAE="):
        assert back(client, response, state).status_code in (400, 401)
    assert client.post(HERE, content=b"\xff\xfe").status_code == 400
    assert client.post(HERE, content=b"x" * 300_000).status_code == 413
    assert party_module.BEARER.endswith("bearer")


def test_metadata_are_read_again_when_they_change(
    client: TestClient, ready: Caller, cloud: Cloud, idp: SamlProvider
) -> None:
    good = idp.metadata.read_text()
    try:
        for bad in ("<x/>", "no XML", good.replace(idp.entity_id, "http://other/idp")):
            idp.metadata.write_text(bad)
            assert client.get(HERE, params={"origin": DASHBOARD}, follow_redirects=False).status_code == 401
        idp.metadata.unlink()
        assert client.get(AUTH, headers=ASK).status_code == 401
    finally:
        idp.metadata.write_text(good)
    response, state = away(client)
    assert back(client, response, state).status_code == 200


def test_requests_are_signed_when_asked_for(seeded: Path, tmp_path: Path, idp: SamlProvider) -> None:
    shutil.copytree(seeded, tmp_path, dirs_exist_ok=True)
    with cloud_with(tmp_path, settings(idp) + "sign_requests = true\n", CLOUD) as cloud:
        request, address = party(cloud).request(
            "_x", "urn:oasis:names:tc:SAML:2.0:bindings:SOAP", "urn:oasis:names:tc:SAML:2.0:bindings:PAOS"
        )
        assert "SignatureValue" in request and address == f"{idp.address}/soap"
        assert "X509Certificate" in party(cloud).metadata()


def test_keystoneauth(seeded: Path, tmp_path: Path, idp: SamlProvider) -> None:
    """The unmodified client (`v3samlpassword`), over HTTP."""
    shutil.copytree(seeded, tmp_path, dirs_exist_ok=True)
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    with cloud_with(tmp_path, settings(idp), address) as cloud, served(App(cloud, [MANIFEST]), port):
        admin = log_in(TestClient(App(cloud, [MANIFEST])), "admin", project="admin")
        projects = [{"name": "hers", "roles": [{"name": "member"}]}]
        home = set_up(admin, "shib", "saml2", [*RULES, rule([{"type": "uid"}], {"projects": projects})])["domain_id"]
        idp.trust(httpx2.get(address + AUTH.replace("/auth", "/metadata")).text)
        plugin = V3Saml2Password(
            auth_url=f"{address}/identity/v3",
            identity_provider="shib",
            protocol="saml2",
            identity_provider_url=f"{idp.address}/soap",
            username="diana",
            password=PASSWORD,
            project_name="hers",
            project_domain_id=home,
        )
        with requests.Session() as http:
            access = plugin.get_access(Session(auth=plugin, session=http))
        assert access.username == "Diana" and access.project_name == "hers"
