"""Access rules: the requests that an application credential is narrowed to, on every service."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from pileus.composition import SERVICES
from pileus.identity.application_credentials.models import AccessRule
from pileus.identity.passwords.hashing import Hasher
from pileus.kernel.cloud import Cloud
from pileus.kernel.http.app import App
from tests.identity.conftest import QUICK
from tests.identity.people import Caller, Json, log_in
from tests.identity.test_application_credentials import enter, login_body, make
from tests.whole import whole_cloud

IPS: Json = {"path": "/v2.1/servers/*/ips", "method": "GET", "service": "compute"}
METRICS: Json = {"path": "/v2.0/metrics", "method": "GET", "service": "monitoring"}
DEPTH = 255  # characters in the path of a rule


def rules_of(caller: Caller) -> list[Json]:
    found: list[Json] = caller.ask("GET", f"/users/{caller.user_id}/access_rules")["access_rules"]
    return found


def test_life(client: TestClient, demo: Caller) -> None:
    made = make(demo, access_rules=[METRICS, IPS, IPS])
    assert [{name: rule[name] for name in IPS} for rule in made["access_rules"]] == [IPS, METRICS]
    path = f"/users/{demo.user_id}/application_credentials"
    assert demo.ask("GET", f"{path}/{made['id']}")["application_credential"]["access_rules"] == made["access_rules"]
    listed = rules_of(demo)
    assert {rule["id"] for rule in listed} == {rule["id"] for rule in made["access_rules"]}
    one = f"/users/{demo.user_id}/access_rules/{listed[0]['id']}"
    assert listed[0]["links"]["self"].endswith("/identity/v3" + one)
    assert demo.ask("GET", one)["access_rule"] == listed[0]
    demo.ask("HEAD", one)
    assert "in use" in demo.ask("DELETE", one, status=403)["error"]["message"]
    demo.ask("DELETE", f"{path}/{made['id']}", status=204)
    assert len(rules_of(demo)) == 2
    demo.ask("DELETE", one, status=204)
    demo.ask("GET", one, status=404)
    demo.ask("DELETE", one, status=404)
    assert len(rules_of(demo)) == 1


def test_credentials_share_rules(demo: Caller) -> None:
    first = make(demo, "one", access_rules=[IPS])["access_rules"]
    again = make(demo, "two", access_rules=[IPS, {"id": first[0]["id"]}])["access_rules"]
    assert first == again
    assert make(demo, "three", access_rules=[METRICS, {"id": first[0]["id"]}])["access_rules"][0] == first[0]
    assert len(rules_of(demo)) == 2
    query = f"/users/{demo.user_id}/access_rules?"
    assert len(demo.ask("GET", query + "limit=1")["access_rules"]) == 1
    assert [r["service"] for r in demo.ask("GET", query + "service=monitoring")["access_rules"]] == ["monitoring"]


@pytest.mark.parametrize(
    ("rule", "status"),
    [
        ({"id": "nothing"}, 404),
        ({**IPS, "id": "nothing"}, 400),
        ({"path": "/v2.1/servers", "method": "GET"}, 400),
        ({}, 400),
        ({**IPS, "method": "get"}, 400),
        ({**IPS, "method": "CONNECT"}, 400),
        ({**IPS, "path": "v2.1/servers"}, 400),
        ({**IPS, "path": "/v2.1/servers?all_tenants=1"}, 400),
        ({**IPS, "path": "/" + "a" * DEPTH}, 400),
        ({**IPS, "path": "/**/**"}, 400),
        ({**IPS, "path": "/***"}, 400),
        ({**IPS, "path": "/{a}{b}"}, 400),
        ({**IPS, "service": ""}, 400),
        ({**IPS, "rule": "new"}, 400),
        ("GET /v2.1/servers", 400),
    ],
)
def test_what_is_no_rule(demo: Caller, rule: Any, status: int) -> None:
    make(demo, access_rules=[rule], status=status)


def test_rules_are_their_users_own(client: TestClient, admin: Caller, demo: Caller) -> None:
    theirs = make(demo, access_rules=[IPS])["access_rules"][0]["id"]
    make(admin, access_rules=[{"id": theirs}], status=404)
    admin.ask("GET", f"/users/{admin.user_id}/access_rules/{theirs}", status=404)
    admin.ask("GET", f"/users/{demo.user_id}/access_rules/{theirs}")
    demo.ask("GET", f"/users/{admin.user_id}/access_rules", status=403)
    demo.ask("GET", f"/users/{admin.user_id}/access_rules/{theirs}", status=403)
    demo.ask("DELETE", f"/users/{admin.user_id}/access_rules/nothing", status=403)
    auditor = log_in(client, "admin", system=True)
    assert len(auditor.ask("GET", f"/users/{demo.user_id}/access_rules")["access_rules"]) == 1


def test_the_token_tells_them(client: TestClient, demo: Caller) -> None:
    made = make(demo, access_rules=[IPS, METRICS])
    robot = enter(client, made)
    assert robot.body["application_credential"]["access_rules"] == made["access_rules"]
    seen = demo.ask("GET", "/auth/tokens", headers={"x-subject-token": robot.token})["token"]
    assert seen["application_credential"] == robot.body["application_credential"]
    assert "access_rules" not in enter(client, make(demo, "free")).body["application_credential"]
    assert "access_rules" not in make(demo, "free2", access_rules=None)


def test_no_rule_at_all_allows_nothing(client: TestClient, demo: Caller) -> None:
    """An empty list is not the same as no list."""
    made = make(demo, access_rules=[])
    assert made["access_rules"] == []
    enter(client, made).ask("GET", "/auth/catalog", status=403)


def test_a_rule_that_vanishes_opens_nothing(cloud: Cloud, client: TestClient, demo: Caller) -> None:
    made = make(demo, access_rules=[IPS])
    with cloud.db.writing() as db:
        db.delete(db.get_one(AccessRule, made["access_rules"][0]["id"]))
    enter(client, made).ask("GET", "/auth/catalog", status=403)


def test_a_robot_hands_on_no_more_than_its_own_rules(client: TestClient, demo: Caller) -> None:
    """One that may make others: without a check it would make one that may do anything."""
    path = f"/v3/users/{demo.user_id}/application_credentials"
    own = [
        {"service": "identity", "method": "POST", "path": path},
        {"service": "identity", "method": "GET", "path": "/v3/users/*/application_credentials"},
    ]
    robot = enter(client, make(demo, unrestricted=True, access_rules=own))
    make(robot, "any", access_rules=[{**own[0], "path": "/v3/**"}], status=403)
    loose = make(demo, "loose", access_rules=[{"service": "identity", "method": "DELETE", "path": "/v3/**"}])
    make(robot, "by-id", access_rules=[{"id": loose["access_rules"][0]["id"]}], status=403)
    child = make(robot, "silent")
    assert sorted(rule["path"] for rule in child["access_rules"]) == sorted(rule["path"] for rule in own)
    assert make(robot, "explicit", access_rules=None)["access_rules"] == child["access_rules"]
    fewer = make(robot, "fewer", access_rules=[own[1]])
    assert [rule["method"] for rule in fewer["access_rules"]] == ["GET"]
    make(enter(client, fewer), "grandchild", status=403)


def test_a_restricted_one_deletes_no_rules(client: TestClient, demo: Caller) -> None:
    spare = make(demo, "spare", access_rules=[METRICS])
    demo.ask("DELETE", f"/users/{demo.user_id}/application_credentials/{spare['id']}", status=204)
    robot = enter(client, make(demo))
    robot.ask("DELETE", f"/users/{demo.user_id}/access_rules/{spare['access_rules'][0]['id']}", status=403)


def test_matching_is_quick(client: TestClient, demo: Caller) -> None:
    """A pattern of the user's own choice must not hold the process up."""
    path = "/v3/**" + "/*a" * ((DEPTH - 6) // 3)
    robot = enter(client, make(demo, access_rules=[{"service": "identity", "method": "GET", "path": path}]))
    start = time.monotonic()
    for tail in ("/aa" * 2000, "a" * 6000, "/a" * 80 + "b"):
        reply = client.get("/identity/v3/users/" + tail, headers={"x-auth-token": robot.token})
        assert reply.status_code in (403, 404)
    assert time.monotonic() - start < 1


@pytest.fixture
def whole(tmp_path: Path) -> Iterator[Cloud]:
    with whole_cloud(tmp_path, seeds=True) as cloud:
        cloud.add(Hasher(QUICK))
        yield cloud


def test_every_service_enforces_them(whole: Cloud) -> None:
    client = TestClient(App(whole, SERVICES), raise_server_exceptions=False)
    demo = log_in(client, "demo", whole.config.secret("demo_password"), project="demo")

    words = ("service", "method", "path")

    def robot(name: str, *rules: str) -> Caller:
        made = make(demo, name, access_rules=[dict(zip(words, rule.split(), strict=True)) for rule in rules])
        return enter(client, made)

    def ask(caller: Caller, method: str, path: str) -> int:
        headers = {"x-auth-token": caller.token, "content-type": "application/octet-stream"}
        return client.request(method, path, headers=headers).status_code

    lists = {
        "compute": "/compute/v2.1/servers",
        "network": "/network/v2.0/networks",
        "image": "/image/v2/images",
        "identity": "/identity/v3/auth/projects",
    }
    for service, address in lists.items():
        own = address.removeprefix(f"/{service}")
        only = robot(service, f"{service} GET {own}")
        for other, path in lists.items():
            assert ask(only, "GET", path) == (200 if other == service else 403), (service, path)
        if service != "identity":  # has neither of these
            assert ask(only, "POST", address) == 403
            assert ask(only, "GET", address + "/x") == 403
    network = robot("wildcards", "network GET /v2.0/**", "compute GET /v2.1/servers/{server_id}/ips")
    assert ask(network, "GET", "/network/v2.0/networks") == 200
    assert ask(network, "GET", "/network/v2.0/networks/none/segments") == 404
    assert ask(network, "DELETE", "/network/v2.0/networks/none") == 403
    assert ask(network, "GET", "/compute/v2.1/servers/none/ips") == 404
    assert ask(network, "GET", "/compute/v2.1/servers//ips") == 403
    assert ask(network, "GET", "/compute/v2.1/servers/none/ips/private") == 403
    star = robot("star", "compute GET /v2.1/servers/*", "image GET /v2/*/members")
    assert ask(star, "GET", "/compute/v2.1/servers/detail") == 200
    assert ask(star, "GET", "/compute/v2.1/servers/none/ips") == 403
    assert ask(star, "GET", "/compute/v2.1/servers") == 403
    assert ask(star, "GET", "/compute/v2.1/servers/") == 403
    assert ask(star, "GET", "/image/v2/images/none/members") == 403
    upload = robot("upload", "image PUT /v2/images/*/file")  # a route that reads its body by itself
    assert ask(upload, "PUT", "/image/v2/images/none/file") == 404
    assert ask(upload, "GET", "/image/v2/images/none/file") == 403
    assert client.post("/identity/v3/auth/tokens", json=login_body(make(demo, "plain"))).status_code == 201
