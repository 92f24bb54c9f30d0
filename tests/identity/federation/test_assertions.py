"""This cloud as an identity provider: assertions for another cloud, which is a Pileus too."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import fromstring

import pytest
from starlette.testclient import TestClient

from pileus.identity.manifest import MANIFEST
from pileus.kernel.cloud import Cloud
from pileus.kernel.http.app import App
from tests.identity.federation.conftest import CLOUD
from tests.identity.federation.ground import cloud_with, rule, set_up
from tests.identity.people import Caller, Json, log_in

SAML = "{urn:oasis:names:tc:SAML:2.0:assertion}"
AUTH = "/identity/v3/OS-FEDERATION/identity_providers/alpha/protocols/mapped/auth"
MEDIA = {"content-type": "application/vnd.paos+xml"}
USER = [{"type": "openstack_user"}, {"type": "openstack_user_domain"}]
RULES = [
    rule(USER, {"user": {"name": "{0}@{1}"}}),
    rule(
        [{"type": "openstack_project"}, {"type": "openstack_roles", "any_one_of": ["member"]}],
        {"projects": [{"name": "{0} elsewhere", "roles": [{"name": "reader"}]}]},
    ),
]


@pytest.fixture
def cloud(seeded: Path, tmp_path: Path) -> Iterator[Cloud]:
    shutil.copytree(seeded, tmp_path, dirs_exist_ok=True)
    with cloud_with(tmp_path, "", CLOUD) as cloud:
        yield cloud


@pytest.fixture
def far(seeded: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The other cloud's state folder."""
    folder = tmp_path_factory.mktemp("beta") / "state"
    shutil.copytree(seeded, folder)
    return folder


def beta(far: Path, metadata: str, alpha: str = CLOUD) -> str:
    """The other cloud's settings, with the metadata of this one."""
    (far / "alpha.xml").write_text(metadata)
    return (
        '[identity.federation."alpha/mapped"]\ntype = "saml2"\nunsolicited = true\n'
        f'metadata_file = "{far / "alpha.xml"}"\nentity_id = "{alpha}/identity/v3/OS-FEDERATION/saml2/idp"\n'
    )


def provider(admin: Caller, address: str, **more: Any) -> None:
    given = {"auth_url": address + AUTH, "sp_url": address + AUTH, "enabled": True, **more}
    admin.ask("PUT", "/OS-FEDERATION/service_providers/beta", {"service_provider": given}, status=201)


def wanted(token: str, name: str = "beta") -> Json:
    identity = {"methods": ["token"], "token": {"id": token}}
    return {"auth": {"identity": identity, "scope": {"service_provider": {"id": name}}}}


def ask(client: TestClient, body: Json, way: str = "/ecp") -> Any:
    return client.post(f"/identity/v3/auth/OS-FEDERATION/saml2{way}", json=body)


def test_an_assertion(client: TestClient, admin: Caller, demo: Caller) -> None:
    provider(admin, "http://beta")
    reply = ask(client, wanted(demo.token), "")
    assert reply.status_code == 200, reply.text
    assert reply.headers["content-type"].startswith("text/xml")
    assert reply.headers["x-sp-url"] == reply.headers["x-auth-url"] == "http://beta" + AUTH
    root = fromstring(reply.text)
    said = {attribute.get("Name"): [value.text for value in attribute] for attribute in root.iter(f"{SAML}Attribute")}
    assert set(said.pop("openstack_roles")) == {"member", "reader"}
    assert said == {
        "openstack_user": ["demo"],
        "openstack_user_domain": ["Default"],
        "openstack_project": ["demo"],
        "openstack_project_domain": ["Default"],
    }
    data = root.find(f".//{SAML}SubjectConfirmationData")
    assert data is not None and data.get("Recipient") == "http://beta" + AUTH
    assert str(data.get("NotOnOrAfter")) <= str(demo.body["expires_at"])


def test_what_no_assertion_is_made_from(client: TestClient, admin: Caller, demo: Caller) -> None:
    provider(admin, "http://beta")
    assert ask(client, wanted("nonsense")).status_code == 404
    assert ask(client, wanted(demo.token, "gamma")).status_code == 404
    assert ask(client, wanted(log_in(client, "demo", unscoped=True).token)).status_code == 403
    assert ask(client, wanted(log_in(client, "admin", system=True).token)).status_code == 403
    body = wanted(demo.token)
    body["auth"]["identity"]["methods"] = ["password"]
    assert ask(client, body).status_code == 400
    assert ask(client, {"auth": {"identity": body["auth"]["identity"]}}).status_code == 400
    credential = demo.ask(
        "POST", f"/users/{demo.user_id}/application_credentials", {"application_credential": {"name": "c"}}, status=201
    )["application_credential"]
    method = {"id": credential["id"], "secret": credential["secret"]}
    login = {"auth": {"identity": {"methods": ["application_credential"], "application_credential": method}}}
    delegated = client.post("/identity/v3/auth/tokens", json=login).headers["x-subject-token"]
    assert ask(client, wanted(delegated)).status_code == 403  # its rights are narrower than an assertion can say
    admin.ask("PATCH", "/OS-FEDERATION/service_providers/beta", {"service_provider": {"enabled": False}})
    assert ask(client, wanted(demo.token)).status_code == 403
    demo.ask("DELETE", "/auth/tokens", status=204, headers={"x-subject-token": demo.token})
    assert ask(client, wanted(demo.token)).status_code in (403, 404)


def test_the_other_cloud_believes_it_once(client: TestClient, admin: Caller, demo: Caller, far: Path) -> None:
    provider(admin, CLOUD)
    metadata = client.get("/identity/v3/OS-FEDERATION/saml2/metadata")
    assert metadata.status_code == 200 and "IDPSSODescriptor" in metadata.text
    with cloud_with(far, beta(far, metadata.text), CLOUD) as there:
        other = TestClient(App(there, [MANIFEST]))
        remote_admin = log_in(other, "admin", project="admin")
        set_up(remote_admin, "alpha", "mapped", RULES)
        answer = ask(client, wanted(demo.token)).text
        reply = other.post(AUTH, content=answer, headers=MEDIA)
        assert reply.status_code == 201, reply.text
        assert reply.json()["token"]["user"]["name"] == "demo@Default"
        assert other.post(AUTH, content=answer, headers=MEDIA).status_code == 401
        changed = ask(client, wanted(demo.token)).text.replace(">demo<", ">admin<")
        assert other.post(AUTH, content=changed, headers=MEDIA).status_code == 401
        remote_admin.ask("PATCH", "/OS-FEDERATION/identity_providers/alpha", {"identity_provider": {"enabled": False}})
        answer = ask(client, wanted(demo.token)).text
        assert other.post(AUTH, content=answer, headers=MEDIA).status_code == 403


def test_an_assertion_for_another_cloud(client: TestClient, admin: Caller, demo: Caller, far: Path) -> None:
    provider(admin, "http://gamma")
    metadata = client.get("/identity/v3/OS-FEDERATION/saml2/metadata").text
    with cloud_with(far, beta(far, metadata), CLOUD) as there:
        other = TestClient(App(there, [MANIFEST]))
        remote_admin = log_in(other, "admin", project="admin")
        set_up(remote_admin, "alpha", "mapped", RULES)
        assert other.post(AUTH, content=ask(client, wanted(demo.token)).text, headers=MEDIA).status_code == 401
