"""Identity providers, protocols, mappings and service providers."""

from typing import Any

import pytest

from tests.identity.federation.ground import MAPPINGS, PROVIDERS, rule, set_up
from tests.identity.people import Caller, Json

RULES = [rule([{"type": "NAME"}], {"user": {"name": "{0}"}})]
SERVICES = "/OS-FEDERATION/service_providers"


def idp(admin: Caller, name: str, status: int = 201, **body: Any) -> Any:
    return admin.ask("PUT", f"{PROVIDERS}/{name}", {"identity_provider": body}, status=status)


def test_life_of_an_identity_provider(admin: Caller) -> None:
    made = idp(admin, "acme", remote_ids=["b", "a"], description="d", authorization_ttl=5)["identity_provider"]
    assert (
        made.items()
        >= {
            "id": "acme",
            "enabled": False,
            "description": "d",
            "remote_ids": ["a", "b"],
            "authorization_ttl": 5,
        }.items()
    )
    assert made["links"]["protocols"] == made["links"]["self"] + "/protocols"
    home = admin.ask("GET", f"/domains/{made['domain_id']}")["domain"]
    assert home["enabled"] and "acme" in home["description"]
    changed = {"enabled": True, "remote_ids": ["a"], "authorization_ttl": None, "description": None}
    after = admin.ask("PATCH", f"{PROVIDERS}/acme", {"identity_provider": changed})["identity_provider"]
    assert after == made | changed
    idp(admin, "other")
    listed = admin.ask("GET", f"{PROVIDERS}?enabled=true")["identity_providers"]
    assert listed == [after]
    assert [row["id"] for row in admin.ask("GET", PROVIDERS)["identity_providers"]] == ["acme", "other"]
    assert [row["id"] for row in admin.ask("GET", f"{PROVIDERS}?limit=1")["identity_providers"]] == ["acme"]
    admin.ask("DELETE", f"{PROVIDERS}/acme", status=204)
    admin.ask("GET", f"{PROVIDERS}/acme", status=404)


def test_a_remote_id_and_a_domain_have_one_provider(admin: Caller) -> None:
    domain_id = idp(admin, "one", remote_ids=["x"])["identity_provider"]["domain_id"]
    idp(admin, "one", status=409)
    idp(admin, "two", status=409, remote_ids=["y", "x"])
    idp(admin, "two", status=409, domain_id=domain_id)
    idp(admin, "two", status=404, domain_id="nowhere")
    two = idp(admin, "two", remote_ids=["y"], domain_id="default")["identity_provider"]
    assert two["domain_id"] == "default"
    admin.ask("PATCH", f"{PROVIDERS}/two", {"identity_provider": {"remote_ids": ["x"]}}, status=409)
    admin.ask("PATCH", f"{PROVIDERS}/two", {"identity_provider": {"domain_id": domain_id}}, status=400)
    assert admin.ask("GET", f"{PROVIDERS}/two")["identity_provider"] == two


@pytest.mark.parametrize(
    "body",
    [
        {"enabled": "yes"},
        {"remote_ids": "a"},
        {"remote_ids": [""]},
        {"remote_ids": ["x" * 256]},
        {"authorization_ttl": -1},
        {"colour": "red"},
    ],
)
def test_bad_identity_providers(admin: Caller, body: Json) -> None:
    idp(admin, "bad", status=400, **body)
    admin.ask("GET", f"{PROVIDERS}/bad", status=404)


def test_life_of_a_protocol(admin: Caller) -> None:
    set_up(admin, "acme", "saml2", RULES)
    path = f"{PROVIDERS}/acme/protocols"
    made = admin.ask("GET", f"{path}/saml2")["protocol"]
    assert made.items() >= {"id": "saml2", "mapping_id": "of-acme", "remote_id_attribute": None}.items()
    assert made["links"]["identity_provider"].endswith(f"{PROVIDERS}/acme")
    body = {"protocol": {"mapping_id": "of-acme"}}
    admin.ask("PUT", f"{path}/saml2", body, status=409)
    admin.ask("PUT", f"{PROVIDERS}/nobody/protocols/saml2", body, status=404)
    admin.ask("PUT", f"{path}/openid", {"protocol": {"mapping_id": "none"}}, status=400)
    admin.ask("PUT", f"{path}/openid", {"protocol": {}}, status=400)
    admin.ask("PATCH", f"{path}/saml2", {"protocol": {"mapping_id": "none"}}, status=400)
    changed = admin.ask("PATCH", f"{path}/saml2", {"protocol": {"remote_id_attribute": "ISS"}})["protocol"]
    assert changed == made | {"remote_id_attribute": "ISS"}
    assert admin.ask("GET", path)["protocols"] == [changed]
    reply = admin.ask("DELETE", f"{MAPPINGS}/of-acme", status=409)
    assert "saml2" in reply["error"]["message"]
    admin.ask("DELETE", f"{path}/saml2", status=204)
    admin.ask("GET", f"{path}/saml2", status=404)
    admin.ask("DELETE", f"{MAPPINGS}/of-acme", status=204)


def test_life_of_a_mapping(admin: Caller) -> None:
    body = {"mapping": {"rules": RULES}}
    made = admin.ask("PUT", f"{MAPPINGS}/m", body, status=201)["mapping"]
    assert made["rules"] == RULES and made["schema_version"] == "1.0"
    admin.ask("PUT", f"{MAPPINGS}/m", body, status=409)
    two = [rule([{"type": "N"}], {"user": {"name": "{0}"}, "domain": {"name": "d"}})]
    admin.ask("PATCH", f"{MAPPINGS}/m", {"mapping": {"rules": two}}, status=400)
    changed = admin.ask("PATCH", f"{MAPPINGS}/m", {"mapping": {"rules": two, "schema_version": "2.0"}})["mapping"]
    assert changed["rules"] == two
    admin.ask("PATCH", f"{MAPPINGS}/m", {"mapping": {"schema_version": "1.0"}}, status=400)
    admin.ask("PATCH", f"{MAPPINGS}/m", {"mapping": {"schema_version": "3.0"}}, status=400)
    admin.ask("PUT", f"{MAPPINGS}/n", {"mapping": {}}, status=400)
    assert admin.ask("GET", MAPPINGS)["mappings"] == [changed]
    admin.ask("DELETE", f"{MAPPINGS}/m", status=204)
    admin.ask("GET", f"{MAPPINGS}/m", status=404)


def test_life_of_a_service_provider(admin: Caller) -> None:
    given = {"auth_url": "https://b/v3/auth", "sp_url": "https://b/sp", "enabled": True}
    made = admin.ask("PUT", f"{SERVICES}/b", {"service_provider": given}, status=201)["service_provider"]
    assert made.items() >= (given | {"id": "b", "description": None, "relay_state_prefix": "ss:mem:"}).items()
    admin.ask("PUT", f"{SERVICES}/b", {"service_provider": given}, status=409)
    admin.ask("PUT", f"{SERVICES}/c", {"service_provider": {"auth_url": "https://c"}}, status=400)
    admin.ask("PUT", f"{SERVICES}/c", {"service_provider": given | {"sp_url": "javascript:x"}}, status=400)
    changed = admin.ask("PATCH", f"{SERVICES}/b", {"service_provider": {"enabled": False}})["service_provider"]
    assert changed == made | {"enabled": False}
    assert admin.ask("GET", f"{SERVICES}?enabled=false")["service_providers"] == [changed]
    assert admin.ask("GET", f"{SERVICES}?enabled=true")["service_providers"] == []
    admin.ask("DELETE", f"{SERVICES}/b", status=204)
    admin.ask("GET", f"{SERVICES}/b", status=404)


def test_only_administrators(demo: Caller) -> None:
    bodies: Json = {"identity_provider": {}, "mapping": {"rules": RULES}, "service_provider": {}}
    for (kind, body), path in zip(bodies.items(), (PROVIDERS, MAPPINGS, SERVICES), strict=True):
        demo.ask("GET", path, status=403)
        demo.ask("GET", f"{path}/x", status=403)
        demo.ask("PUT", f"{path}/x", {kind: body}, status=403)
        demo.ask("DELETE", f"{path}/x", status=403)
    demo.ask("GET", f"{PROVIDERS}/x/protocols", status=403)
