"""Operations that nothing else walks through: one that is refused by design, and the reading of single things."""

import pytest
from starlette.testclient import TestClient

from tests.identity.people import Caller

RULES = [{"local": [{"user": {"name": "{0}"}}], "remote": [{"type": "REMOTE_USER"}]}]
URLS = {"auth_url": "https://192.0.2.9/auth", "sp_url": "https://192.0.2.9/sp"}


def test_what_only_answers_to_post(client: TestClient) -> None:
    """Machine-made descriptions of the API name GET and HEAD too: the API itself refuses them."""
    for path in ("/OS-OAUTH1/access_token", "/OS-OAUTH1/request_token", "/OS-OAUTH2/token",
                 "/auth/OS-FEDERATION/saml2", "/auth/OS-FEDERATION/saml2/ecp"):  # fmt: skip
        for method in ("GET", "HEAD"):
            reply = client.request(method, f"/identity/v3{path}")
            assert reply.status_code == 405 and "POST" in reply.headers["allow"], (method, path)


def test_there_is_no_list_of_revoked_tokens(admin: Caller, demo: Caller) -> None:
    admin.ask("GET", "/auth/tokens/OS-PKI/revoked", status=410)
    demo.ask("GET", "/auth/tokens/OS-PKI/revoked", status=403)


def test_membership_is_checked(admin: Caller) -> None:
    user = admin.ask("POST", "/users", {"user": {"name": "u"}}, status=201)["user"]["id"]
    group = admin.ask("POST", "/groups", {"group": {"name": "g"}}, status=201)["group"]["id"]
    one = f"/groups/{group}/users/{user}"
    admin.ask("GET", one, status=404)
    admin.ask("PUT", one, status=204)
    admin.ask("GET", one, status=204)
    admin.ask("HEAD", one, status=204)


def test_a_region_is_changed(admin: Caller) -> None:
    admin.ask("POST", "/regions", {"region": {"id": "north", "description": "cold"}}, status=201)
    changed = admin.ask("PATCH", "/regions/north", {"region": {"description": "colder"}})["region"]
    assert changed == admin.ask("GET", "/regions/north")["region"]
    assert changed["description"] == "colder"


@pytest.mark.parametrize(
    ("plural", "name", "wish"),
    [("mappings", "mapping", {"rules": RULES}), ("service_providers", "service_provider", URLS)],
)
def test_federations_partners_are_read_one_by_one(admin: Caller, plural: str, name: str, wish: object) -> None:
    path = f"/OS-FEDERATION/{plural}/one"
    made = admin.ask("PUT", path, {name: wish}, status=201)
    assert admin.ask("GET", path) == made
    assert admin.ask("HEAD", path) is None
    admin.ask("GET", path + "-more", status=404)
