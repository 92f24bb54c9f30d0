"""Federated users in the users API; and what their groups are worth where tokens and other logins look."""

from typing import Any

from sqlalchemy import update
from starlette.testclient import TestClient

from pileus.identity.federation.login.models import ExpiringMembership
from pileus.kernel import clock
from pileus.kernel.cloud import Cloud
from tests.identity.federation.ground import PROVIDERS, set_up
from tests.identity.federation.test_external import RULES, client, cloud, enter, group, rescope
from tests.identity.people import Caller, log_in

__all__ = ["client", "cloud"]


def link(unique_id: str) -> list[Any]:
    return [{"idp_id": "acme", "protocols": [{"protocol_id": "mapped", "unique_id": unique_id}]}]


def test_where_a_user_came_from(client: TestClient, admin: Caller) -> None:
    set_up(admin, "acme", "mapped", RULES)
    ann, bob = enter(client, "ann"), enter(client, "bob")
    assert admin.ask("GET", f"/users/{ann.user_id}")["user"]["federated"] == link("ann")
    assert "federated" not in admin.ask("GET", f"/users/{admin.user_id}")["user"]
    for query, found in {
        "?unique_id=bob": {bob.user_id},
        "?idp_id=acme": {ann.user_id, bob.user_id},
        "?idp_id=acme&protocol_id=mapped&unique_id=ann": {ann.user_id},
        "?protocol_id=openid": set(),
    }.items():
        users = admin.ask("GET", f"/users{query}")["users"]
        assert {user["id"] for user in users} == found and all("federated" in user for user in users)


def test_an_administrator_says_who_somebody_is_elsewhere(client: TestClient, admin: Caller, demo: Caller) -> None:
    set_up(admin, "acme", "mapped", RULES)
    body = {"user": {"name": "carol", "federated": link("ann")}}
    carol = admin.ask("POST", "/users", body, status=201)["user"]
    assert carol["federated"] == link("ann")
    assert enter(client, "ann").user_id == carol["id"]
    admin.ask("POST", "/users", {"user": {"name": "dora", "federated": link("ann")}}, status=409)
    nowhere = [{"idp_id": "none", "protocols": [{"protocol_id": "mapped", "unique_id": "x"}]}]
    admin.ask("PATCH", f"/users/{carol['id']}", {"user": {"federated": nowhere}}, status=400)
    demo.ask("PATCH", f"/users/{demo.user_id}", {"user": {"federated": link("boss")}}, status=403)
    assert admin.ask("PATCH", f"/users/{carol['id']}", {"user": {"federated": []}})["user"].get("federated") is None
    assert enter(client, "ann").user_id != carol["id"]


def test_groups_of_a_login_count_where_tokens_say_so(client: TestClient, admin: Caller) -> None:
    set_up(admin, "acme", "mapped", RULES)
    group(admin, "members")
    ann = enter(client, "ann", "members")
    for path in ("/auth/projects", "/OS-FEDERATION/projects"):
        assert [project["name"] for project in ann.ask("GET", path)["projects"]] == ["demo"]
        assert enter(client, "ann").ask("GET", path)["projects"] == []


def test_groups_that_outlive_the_login_count_until_they_end(cloud: Cloud, client: TestClient, admin: Caller) -> None:
    """A password gives the user another way in, which knows nothing of the provider's groups."""
    set_up(admin, "acme", "mapped", RULES, domain_id="default", authorization_ttl=10)
    group(admin, "members")
    ann = enter(client, "ann", "members")
    admin.ask("PATCH", f"/users/{ann.user_id}", {"user": {"password": "Secret-of-ann-1"}})
    own = log_in(client, "ann", "Secret-of-ann-1", project="demo")
    assert [project["name"] for project in own.ask("GET", "/auth/projects")["projects"]] == ["demo"]
    with cloud.db.writing() as db:
        db.execute(update(ExpiringMembership).values(expires_at=clock.now()))
    unscoped = log_in(client, "ann", "Secret-of-ann-1")
    assert unscoped.ask("GET", "/auth/projects")["projects"] == []
    rescope(client, unscoped, status=401)


def test_clouds_to_go_to_are_in_scoped_tokens_only(client: TestClient, admin: Caller) -> None:
    path, given = "/OS-FEDERATION/service_providers/beta", {"auth_url": "http://b/auth", "sp_url": "http://b/sp"}
    assert "service_providers" not in log_in(client, "demo", project="demo").body
    admin.ask("PUT", path, {"service_provider": given | {"enabled": True}}, status=201)
    assert log_in(client, "demo", project="demo").body["service_providers"] == [given | {"id": "beta"}]
    assert "service_providers" not in log_in(client, "demo", unscoped=True).body
    admin.ask("PATCH", path, {"service_provider": {"enabled": False}})
    assert "service_providers" not in log_in(client, "demo", project="demo").body
    assert admin.ask("GET", PROVIDERS)["identity_providers"] == []
