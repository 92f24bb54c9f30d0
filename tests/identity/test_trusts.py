"""Trusts: what they give, what they never give, and when they are over."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from starlette.testclient import TestClient

from pileus.identity.manifest import MANIFEST
from pileus.identity.tokens.authenticator import TokenAuthenticator
from pileus.identity.trusts import actions
from pileus.identity.trusts.models import Trust, TrustRole
from pileus.kernel import clock
from pileus.kernel.cloud import Cloud
from pileus.kernel.http.app import App
from tests.identity.people import Caller, Json, log_in
from tests.identity.trusting import ALL, alive, enter, make, names, newcomers, role_ids, trust_body


@pytest.fixture
def roles(admin: Caller) -> dict[str, str]:
    return role_ids(admin)


@pytest.fixture
def people(client: TestClient, admin: Caller) -> dict[str, Caller]:
    return newcomers(client, admin)


def test_life(client: TestClient, demo: Caller, people: dict[str, Caller], roles: dict[str, str]) -> None:
    eve = people["eve"]
    made = make(demo, eve)
    assert made["links"]["self"].endswith(f"/identity/v3/OS-TRUST/trusts/{made['id']}")
    assert made["roles_links"]["self"] == made["links"]["self"] + "/roles"
    assert [role["name"] for role in made["roles"]] == ["member"]
    plain = ("expires_at", "remaining_uses", "deleted_at", "redelegated_trust_id")
    assert [made[name] for name in plain] == [None] * 4
    assert (made["redelegation_count"], made["allow_redelegation"], made["impersonation"]) == (0, False, False)
    one = f"{ALL}/{made['id']}"
    assert demo.ask("GET", one)["trust"] == eve.ask("GET", one)["trust"] == made
    assert [role["id"] for role in eve.ask("GET", one + "/roles")["roles"]] == [roles["member"]]
    assert eve.ask("GET", f"{one}/roles/{roles['member']}")["role"]["name"] == "member"
    eve.ask("HEAD", f"{one}/roles/{roles['member']}")
    demo.ask("GET", f"{one}/roles/{roles['reader']}", status=404)
    for caller in (demo, eve):
        side = "trustor" if caller is demo else "trustee"
        listed = caller.ask("GET", f"{ALL}?{side}_user_id={caller.user_id}")["trusts"]
        assert listed == [{name: made[name] for name in made if name not in ("roles", "roles_links")}]
    eve.ask("DELETE", one, status=403)
    people["bob"].ask("GET", one, status=404)
    people["bob"].ask("DELETE", one, status=404)
    demo.ask("DELETE", one, status=204)
    demo.ask("GET", one, status=404)
    demo.ask("DELETE", one, status=404)


def test_who_lists_what(client: TestClient, admin: Caller, demo: Caller, people: dict[str, Caller]) -> None:
    eve, bob = people["eve"], people["bob"]
    first, second = make(demo, eve), make(admin, bob)
    admin.ask("PUT", f"/system/users/{bob.user_id}/roles/{_role(admin, 'reader')}", status=204)
    auditor = log_in(client, "bob", "pw", system=True)
    for caller in (admin, auditor):
        assert {t["id"] for t in caller.ask("GET", ALL)["trusts"]} == {first["id"], second["id"]}
    page = admin.ask("GET", ALL + "?limit=1")
    assert len(page["trusts"]) == 1
    rest = client.get(page["links"]["next"], headers={"x-auth-token": admin.token}).json()
    assert {t["id"] for t in page["trusts"] + rest["trusts"]} == {first["id"], second["id"]}
    demo.ask("GET", ALL, status=403)
    demo.ask("GET", f"{ALL}?trustor_user_id={admin.user_id}", status=403)
    demo.ask("GET", f"{ALL}?trustee_user_id={eve.user_id}", status=403)
    # A filter given twice must not show the one while the rule looks at the other.
    twice = demo.ask("GET", f"{ALL}?trustor_user_id={admin.user_id}&trustor_user_id={demo.user_id}")["trusts"]
    assert [t["id"] for t in twice] == [first["id"]]
    both = demo.ask("GET", f"{ALL}?trustor_user_id={demo.user_id}&trustee_user_id={eve.user_id}")["trusts"]
    assert [t["id"] for t in both] == [first["id"]]
    auditor.ask("DELETE", f"{ALL}/{first['id']}", status=403)
    admin.ask("DELETE", f"{ALL}/{first['id']}", status=204)


def _role(admin: Caller, name: str) -> str:
    return str(admin.ask("GET", f"/roles?name={name}")["roles"][0]["id"])


def test_the_trustee_acts_with_the_trustors_roles(demo: Caller, people: dict[str, Caller]) -> None:
    eve = people["eve"]
    plain = make(demo, eve, roles=[{"name": "reader"}])
    token = enter(eve, plain)
    assert (token.user_id, token.project_id, names(token)) == (eve.user_id, demo.project_id, {"reader"})
    assert token.body["OS-TRUST:trust"] == {
        "id": plain["id"],
        "impersonation": False,
        "trustor_user": {"id": demo.user_id},
        "trustee_user": {"id": eve.user_id},
    }
    seen = token.ask("GET", "/auth/tokens", headers={"x-subject-token": token.token})["token"]
    assert seen["OS-TRUST:trust"] == token.body["OS-TRUST:trust"]
    masked = enter(eve, make(demo, eve, impersonation=True))
    assert (masked.user_id, masked.body["user"]["name"]) == (demo.user_id, "demo")
    assert masked.body["OS-TRUST:trust"]["impersonation"] is True
    assert names(masked) == {"member", "reader"}


def test_by_password_too(client: TestClient, demo: Caller, people: dict[str, Caller]) -> None:
    trust = make(demo, people["eve"])
    user = {"name": "eve", "domain": {"id": "default"}, "password": "pw"}
    body = {
        "auth": {
            "identity": {"methods": ["password"], "password": {"user": user}},
            "scope": {"OS-TRUST:trust": {"id": trust["id"]}},
        }
    }
    reply = client.post("/identity/v3/auth/tokens", json=body)
    assert reply.status_code == 201
    assert reply.json()["token"]["methods"] == ["password"]


def test_only_the_trustee_takes_it_up(client: TestClient, demo: Caller, people: dict[str, Caller]) -> None:
    trust = make(demo, people["eve"])
    refused = [
        client.post("/identity/v3/auth/tokens", json=trust_body(caller.token, trust_id))
        for caller, trust_id in ((people["bob"], trust["id"]), (demo, trust["id"]), (people["eve"], "nothing"))
    ]
    assert {reply.status_code for reply in refused} == {401}
    assert len({reply.text for reply in refused}) == 1
    body = trust_body(people["eve"].token, trust["id"])
    body["auth"]["scope"]["project"] = {"id": demo.project_id}
    assert client.post("/identity/v3/auth/tokens", json=body).status_code == 400


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"roles": []}, 400),
        ({"project_id": None}, 400),
        ({"roles": [{}]}, 400),
        ({"roles": [{"name": "admin"}]}, 403),
        ({"roles": [{"id": "nothing"}]}, 404),
        ({"trustee_user_id": "nobody"}, 404),
        ({"trustor_user_id": "nobody"}, 403),
        ({"project_id": "nowhere"}, 404),
        ({"expires_at": "bad.123Z"}, 400),
        ({"expires_at": "2001-01-01T00:00:00Z"}, 400),
        ({"remaining_uses": 0}, 400),
        ({"remaining_uses": -1}, 400),
        ({"remaining_uses": True}, 400),
        ({"remaining_uses": 1, "allow_redelegation": True}, 400),
        ({"redelegation_count": 1}, 400),
        ({"redelegation_count": 4, "allow_redelegation": True}, 403),
        ({"impersonation": "yes"}, 400),
        ({"redelegated_trust_id": "other"}, 403),
        ({"id": "mine"}, 400),
        ({"roles": "member"}, 400),
    ],
)
def test_what_can_not_be_made(demo: Caller, people: dict[str, Caller], change: Json, status: int) -> None:
    make(demo, people["eve"], status=status, **change)


def test_nobody_makes_one_in_anothers_name(admin: Caller, demo: Caller, people: dict[str, Caller]) -> None:
    make(admin, people["eve"], status=403, trustor_user_id=demo.user_id, project_id=demo.project_id)


def test_not_of_a_project_where_one_has_no_role(admin: Caller, demo: Caller, people: dict[str, Caller]) -> None:
    make(demo, people["eve"], status=403, project_id=admin.project_id)


def test_an_unscoped_one_is_worth_a_name(demo: Caller, people: dict[str, Caller]) -> None:
    trust = make(demo, people["eve"], project_id=None, roles=[], impersonation=True)
    token = enter(people["eve"], trust)
    assert token.user_id == demo.user_id
    assert "project" not in token.body and "roles" not in token.body


def test_a_delegated_token_makes_none(client: TestClient, demo: Caller, people: dict[str, Caller]) -> None:
    """By impersonation one is the trustor for every rule that looks at the user: what may be delegated is still the trust's."""
    masked = enter(people["eve"], make(demo, people["eve"], impersonation=True))
    make(masked, people["bob"], status=403)
    path = f"/users/{demo.user_id}/application_credentials"
    masked.ask("POST", path, {"application_credential": {"name": "robot"}}, status=403)
    made = demo.ask("POST", path, {"application_credential": {"name": "robot", "unrestricted": True}}, status=201)
    masked.ask("DELETE", f"{path}/{made['application_credential']['id']}", status=403)
    given = {name: made["application_credential"][name] for name in ("id", "secret")}
    body = {"auth": {"identity": {"methods": ["application_credential"], "application_credential": given}}}
    reply = client.post("/identity/v3/auth/tokens", json=body)
    robot = Caller(client, reply.headers["x-subject-token"], reply.json()["token"])
    make(robot, people["bob"], status=403)
    trust = make(demo, demo)
    body["auth"]["scope"] = {"OS-TRUST:trust": {"id": trust["id"]}}
    assert client.post("/identity/v3/auth/tokens", json=body).status_code == 401


def test_a_delegated_token_ends_only_what_was_made_with_it(demo: Caller, people: dict[str, Caller]) -> None:
    """In the trustor's name, eve could otherwise take away what demo gave to others."""
    eve, bob = people["eve"], people["bob"]
    masked = enter(eve, make(demo, eve, impersonation=True, allow_redelegation=True))
    child, other = make(masked, bob), make(demo, bob)
    masked.ask("DELETE", f"{ALL}/{other['id']}", status=403)
    masked.ask("DELETE", f"{ALL}/{child['id']}", status=204)
    demo.ask("DELETE", f"{ALL}/{other['id']}", status=204)


def test_its_token_is_not_exchanged(client: TestClient, demo: Caller, people: dict[str, Caller]) -> None:
    """Neither for another scope nor, through a second trust, for another user's roles."""
    eve = people["eve"]
    masked = enter(eve, make(demo, eve, impersonation=True))
    loop = make(demo, demo)
    for scope in ("unscoped", {"project": {"id": demo.project_id}}, {"OS-TRUST:trust": {"id": loop["id"]}}, None):
        body: Json = {"auth": {"identity": {"methods": ["token"], "token": {"id": masked.token}}}}
        if scope is not None:
            body["auth"]["scope"] = scope
        assert client.post("/identity/v3/auth/tokens", json=body).status_code == 403


def test_time(cloud: Cloud, demo: Caller, people: dict[str, Caller]) -> None:
    ends = (clock.now() + timedelta(minutes=5)).replace(microsecond=0)
    trust = make(demo, people["eve"], expires_at=ends.isoformat() + "Z")
    assert trust["expires_at"] == ends.strftime("%Y-%m-%dT%H:%M:%S.000000Z")
    token = enter(people["eve"], trust)
    assert token.body["expires_at"] <= trust["expires_at"]
    endless = enter(people["eve"], make(demo, people["eve"]))
    assert endless.body["expires_at"] <= people["eve"].body["expires_at"]
    with cloud.db.writing() as db:
        row = db.get(Trust, trust["id"])
        assert row is not None
        row.expires_at = clock.now() - timedelta(seconds=1)
    cloud.part(TokenAuthenticator).forget()
    demo.ask("GET", "/auth/tokens", headers={"x-subject-token": token.token}, status=404)
    enter(people["eve"], trust, status=401)


def test_uses(demo: Caller, people: dict[str, Caller]) -> None:
    trust = make(demo, people["eve"], remaining_uses=2)
    first, second = enter(people["eve"], trust), enter(people["eve"], trust)
    enter(people["eve"], trust, status=401)
    assert demo.ask("GET", f"{ALL}/{trust['id']}")["trust"]["remaining_uses"] == 0
    assert alive(first) and alive(second)


def test_a_refused_login_uses_nothing(admin: Caller, demo: Caller, people: dict[str, Caller]) -> None:
    trust = make(demo, people["eve"], remaining_uses=1)
    grant = f"/projects/{demo.project_id}/users/{demo.user_id}/roles/{_role(admin, 'member')}"
    admin.ask("DELETE", grant, status=204)
    enter(people["bob"], trust, status=401)
    enter(people["eve"], trust, status=401)
    admin.ask("PUT", grant, status=204)
    enter(people["eve"], trust)


def test_the_last_use_is_one_logins(cloud: Cloud, demo: Caller, people: dict[str, Caller]) -> None:
    eve = people["eve"]
    trusts = [make(demo, eve, remaining_uses=1) for _ in range(4)]

    def attempt(trust: Json) -> int:
        with TestClient(App(cloud, [MANIFEST]), raise_server_exceptions=False) as client:
            return client.post("/identity/v3/auth/tokens", json=trust_body(eve.token, trust["id"])).status_code

    with ThreadPoolExecutor(8) as pool:
        for trust in trusts:
            assert sorted(pool.map(attempt, [trust] * 8)) == [201] + [401] * 7


@pytest.mark.parametrize("side", ["trustor", "trustee"])
@pytest.mark.parametrize("how", ["disable", "password", "delete"])
def test_it_ends_with_either_side(
    client: TestClient, admin: Caller, demo: Caller, people: dict[str, Caller], side: str, how: str
) -> None:
    """Also when the user is enabled again: what was given out before stays worthless."""
    eve = people["eve"]
    tokens = [enter(eve, make(demo, eve, impersonation=impersonation)) for impersonation in (True, False)]
    assert all(map(alive, tokens))
    user = f"/users/{demo.user_id if side == 'trustor' else eve.user_id}"
    if how == "delete":
        admin.ask("DELETE", user, status=204)
    elif how == "password":
        admin.ask("PATCH", user, {"user": {"password": "another-Secret-1"}})
    else:
        admin.ask("PATCH", user, {"user": {"enabled": False}})
        assert not any(map(alive, tokens))
        admin.ask("PATCH", user, {"user": {"enabled": True}})
    assert not any(map(alive, tokens))


def test_a_disabled_trustor_gives_nothing(admin: Caller, demo: Caller, people: dict[str, Caller]) -> None:
    trusts = [make(demo, people["eve"], impersonation=impersonation) for impersonation in (True, False)]
    admin.ask("PATCH", f"/users/{demo.user_id}", {"user": {"enabled": False}})
    for trust in trusts:
        enter(people["eve"], trust, status=401)


def test_it_ends_with_a_role_of_the_trustor(admin: Caller, demo: Caller, people: dict[str, Caller]) -> None:
    """With any of them: the trust is not worth the rest."""
    manager = _role(admin, "manager")
    grant = f"/projects/{demo.project_id}/users/{demo.user_id}/roles/{manager}"
    admin.ask("PUT", grant, status=204)
    trust = make(demo, people["eve"], roles=[{"name": "manager"}, {"name": "reader"}])
    token = enter(people["eve"], trust)
    assert names(token) == {"manager", "member", "reader"}
    admin.ask("DELETE", grant, status=204)
    assert not alive(token)
    enter(people["eve"], trust, status=401)


def test_it_ends_with_a_role_that_is_deleted(admin: Caller, demo: Caller, people: dict[str, Caller]) -> None:
    painter = admin.ask("POST", "/roles", {"role": {"name": "painter"}}, status=201)["role"]["id"]
    admin.ask("PUT", f"/projects/{demo.project_id}/users/{demo.user_id}/roles/{painter}", status=204)
    token = enter(people["eve"], make(demo, people["eve"], roles=[{"id": painter}, {"name": "member"}]))
    assert "painter" in names(token)
    admin.ask("DELETE", f"/roles/{painter}", status=204)
    assert not alive(token)


def test_it_ends_when_deleted(demo: Caller, people: dict[str, Caller]) -> None:
    trust = make(demo, people["eve"])
    token = enter(people["eve"], trust)
    demo.ask("DELETE", f"{ALL}/{trust['id']}", status=204)
    assert not alive(token)
    enter(people["eve"], trust, status=401)


def test_it_ends_with_its_project(admin: Caller, demo: Caller, people: dict[str, Caller]) -> None:
    token = enter(people["eve"], make(demo, people["eve"]))
    admin.ask("PATCH", f"/projects/{demo.project_id}", {"project": {"enabled": False}})
    assert not alive(token)


def test_purge(cloud: Cloud, demo: Caller, people: dict[str, Caller]) -> None:
    ends = (clock.now() + timedelta(hours=1)).isoformat()
    kept = make(demo, people["eve"])
    make(demo, people["eve"], expires_at=ends)
    used = make(demo, people["eve"], remaining_uses=1)
    enter(people["eve"], used)

    def left(days: int) -> tuple[int, set[str], int]:
        with cloud.db.writing() as db:
            gone = actions.purge(db, clock.now() + timedelta(days=days))
            return gone, {row.id for row in db.query(Trust)}, db.query(TrustRole).count()

    actions.sweep(cloud)
    assert left(0)[0] == 1  # the used one; its token is younger than a day, which is what the chore waits for
    assert left(2) == (1, {kept["id"]}, 1)
