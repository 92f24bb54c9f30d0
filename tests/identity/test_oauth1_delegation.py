"""What an OAuth1 access token is worth: what its user said yes to and still has, and until when."""

from datetime import timedelta

import pytest
from starlette.testclient import TestClient

from pileus.identity.oauth1.models import AccessToken
from pileus.identity.tokens.authenticator import TokenAuthenticator
from pileus.kernel import clock
from pileus.kernel.cloud import Cloud
from tests.identity.consuming import HERE, LOGIN, enter, granted, holding, named, names, send
from tests.identity.people import PASSWORDS, Caller, Json


@pytest.fixture
def consumer(admin: Caller) -> Json:
    return named(admin)


def test_no_more_than_what_was_said_yes_to(client: TestClient, admin: Caller, consumer: Json) -> None:
    """Once such tokens had every role of the user."""
    token = enter(client, consumer, granted(client, consumer, admin, "member"))
    assert names(token) == {"member", "reader"}
    token.ask("GET", "/users", status=403)
    path = f"/users/{admin.user_id}/application_credentials"
    token.ask("POST", path, {"application_credential": {"name": "robot"}}, status=403)
    trust = {
        "trustor_user_id": admin.user_id,
        "trustee_user_id": admin.user_id,
        "project_id": admin.project_id,
        "roles": [{"name": "member"}],
        "impersonation": True,
    }
    token.ask("POST", "/OS-TRUST/trusts", {"trust": trust}, status=403)
    token.ask(
        "DELETE",
        f"/users/{admin.user_id}/OS-OAUTH1/access_tokens/{token.body['OS-OAUTH1']['access_token_id']}",
        status=403,
    )
    exchange: Json = {"auth": {"identity": {"methods": ["token"], "token": {"id": token.token}}}}
    assert client.post(HERE + "/auth/tokens", json=exchange).status_code == 403
    scoped: Json = {"auth": LOGIN["auth"] | {"scope": {"project": {"id": admin.project_id}}}}
    given = granted(client, consumer, admin, "member")
    assert send(client, holding(consumer, given), "/auth/tokens", scoped).status_code == 401


def test_no_more_than_the_user_still_has(client: TestClient, admin: Caller, demo: Caller, consumer: Json) -> None:
    ids = {role["name"]: role["id"] for role in admin.ask("GET", "/roles")["roles"]}
    grants = f"/projects/{demo.project_id}/users/{demo.user_id}/roles/"
    admin.ask("PUT", grants + ids["manager"], status=204)
    given = granted(client, consumer, demo, "manager")
    token = enter(client, consumer, given)
    assert names(token) == {"manager", "member", "reader"}
    admin.ask("DELETE", grants + ids["manager"], status=204)
    seen = admin.ask("GET", "/auth/tokens", headers={"x-subject-token": token.token})["token"]
    assert {role["name"] for role in seen["roles"]} == {"member", "reader"}
    admin.ask("DELETE", grants + ids["member"], status=204)
    token.ask("GET", "/auth/catalog", status=401)
    assert send(client, holding(consumer, given), "/auth/tokens", LOGIN).status_code == 401


@pytest.mark.parametrize("how", ["consumer", "user", "password", "project", "expiry"])
def test_when_it_ends(cloud: Cloud, client: TestClient, admin: Caller, demo: Caller, consumer: Json, how: str) -> None:
    given = granted(client, consumer, demo, "reader")
    token = enter(client, consumer, given)
    token.ask("GET", "/auth/catalog")
    if how == "consumer":
        admin.ask("DELETE", f"/OS-OAUTH1/consumers/{consumer['id']}", status=204)
    elif how == "user":
        admin.ask("PATCH", f"/users/{demo.user_id}", {"user": {"enabled": False}})
    elif how == "password":
        admin.ask("PATCH", f"/users/{demo.user_id}", {"user": {"password": PASSWORDS["demo"]}})
    elif how == "project":
        admin.ask("PATCH", f"/projects/{demo.project_id}", {"project": {"enabled": False}})
    else:
        with cloud.db.writing() as db:
            db.get_one(AccessToken, given["oauth_token"]).expires_at = clock.now() - timedelta(seconds=1)
        cloud.part(TokenAuthenticator).forget()
        admin.ask("GET", "/auth/tokens", headers={"x-subject-token": token.token}, status=404)
    if how != "expiry":
        token.ask("GET", "/auth/catalog", status=401)
    if how != "password":
        assert send(client, holding(consumer, given), "/auth/tokens", LOGIN).status_code == 401
