"""Trusts that are handed on: each at most what the one before it is, for as long as that is."""

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from pileus.identity.tokens.authenticator import TokenAuthenticator
from pileus.identity.trusts.models import Trust
from pileus.kernel import clock
from pileus.kernel.cloud import Cloud
from tests.identity.people import Caller, Json, log_in
from tests.identity.trusting import ALL, alive, enter, make, names, newcomers, role_ids


@pytest.fixture
def roles(admin: Caller) -> dict[str, str]:
    return role_ids(admin)


@pytest.fixture
def people(client: TestClient, admin: Caller) -> dict[str, Caller]:
    return newcomers(client, admin)


def test_handing_on(demo: Caller, people: dict[str, Caller], roles: dict[str, str]) -> None:
    eve, bob, cat = people["eve"], people["bob"], people["cat"]
    ends = (clock.now() + timedelta(minutes=30)).replace(microsecond=0)
    later = (ends + timedelta(seconds=1)).isoformat() + "Z"
    both: Json = {"roles": [{"name": "member"}, {"name": "reader"}]}
    first = make(demo, eve, allow_redelegation=True, redelegation_count=2, expires_at=ends.isoformat() + "Z", **both)
    by_eve = enter(eve, first)
    more = {"redelegation_count": 2, "allow_redelegation": True}
    for change in ({"expires_at": later}, {"impersonation": True}, more, {"roles": [{"name": "admin"}]}):
        make(by_eve, bob, status=403, **change)
    make(by_eve, bob, status=403, project_id=None, roles=[])  # the rest of a scope is not a trust's to give
    second = make(by_eve, bob, allow_redelegation=True, roles=[{"id": roles["reader"]}])
    assert (second["trustor_user_id"], second["redelegated_trust_id"]) == (eve.user_id, first["id"])
    assert (second["redelegation_count"], second["expires_at"]) == (1, first["expires_at"])
    by_bob = enter(bob, second)
    assert (by_bob.user_id, names(by_bob), by_bob.project_id) == (bob.user_id, {"reader"}, demo.project_id)
    told = by_bob.body["OS-TRUST:trust"]
    assert (told["redelegated_trust_id"], told["redelegation_count"]) == (first["id"], 1)
    make(by_bob, cat, status=403, roles=[{"name": "member"}])
    third = make(by_bob, cat, roles=[{"name": "reader"}], redelegated_trust_id=second["id"])
    by_cat = enter(cat, third)
    assert third["redelegation_count"] == 0
    make(by_cat, eve, status=403, roles=[{"name": "reader"}])
    demo.ask("DELETE", f"{ALL}/{first['id']}", status=204)
    assert not any(map(alive, (by_eve, by_bob, by_cat)))
    cat.ask("GET", f"{ALL}/{third['id']}", status=404)


def test_handing_on_in_the_trustors_name(demo: Caller, people: dict[str, Caller]) -> None:
    eve, bob = people["eve"], people["bob"]
    masked = enter(eve, make(demo, eve, impersonation=True, allow_redelegation=True))
    trust = make(masked, bob, impersonation=True)
    assert (trust["trustor_user_id"], trust["redelegation_count"]) == (demo.user_id, 0)
    assert enter(bob, trust).user_id == demo.user_id


@pytest.mark.parametrize("how", ["disable", "reenable", "expire"])
def test_a_chain_is_as_good_as_all_its_links(
    cloud: Cloud, admin: Caller, demo: Caller, people: dict[str, Caller], how: str
) -> None:
    """eve handed on what demo gave her: without eve, bob has nothing, although she is not in the trust that he uses."""
    eve, bob = people["eve"], people["bob"]
    first = make(demo, eve, impersonation=True, allow_redelegation=True)
    trust = make(enter(eve, first), bob, impersonation=True)
    token = enter(bob, trust)
    assert alive(token)
    if how == "expire":
        with cloud.db.writing() as db:
            row = db.get(Trust, first["id"])
            assert row is not None
            row.expires_at = clock.now() - timedelta(seconds=1)
        cloud.part(TokenAuthenticator).forget()
        demo.ask("GET", "/auth/tokens", headers={"x-subject-token": token.token}, status=404)
    else:
        admin.ask("PATCH", f"/users/{eve.user_id}", {"user": {"enabled": False}})
        if how == "reenable":
            admin.ask("PATCH", f"/users/{eve.user_id}", {"user": {"enabled": True}})
            assert not alive(token)
            enter(bob, trust)
            return
        assert not alive(token)
    enter(bob, trust, status=401)


def test_a_trust_that_is_worth_nothing_is_not_so_to_those_below(
    admin: Caller, demo: Caller, people: dict[str, Caller], roles: dict[str, str]
) -> None:
    """demo still has all that bob was given, but no longer all that eve was, who gave it."""
    grant = f"/projects/{demo.project_id}/users/{demo.user_id}/roles/{roles['manager']}"
    admin.ask("PUT", grant, status=204)
    first = make(demo, people["eve"], roles=[{"name": "manager"}, {"name": "reader"}], allow_redelegation=True)
    trust = make(enter(people["eve"], first), people["bob"], roles=[{"name": "reader"}])
    token = enter(people["bob"], trust)
    admin.ask("DELETE", grant, status=204)
    assert not alive(token)
    enter(people["bob"], trust, status=401)
    admin.ask("PUT", grant, status=204)
    enter(people["bob"], trust)


LADDER = ("admin", "manager", "member", "reader")  # each implies the next
Link = tuple[frozenset[str], bool, int]
_LINK = st.tuples(st.frozensets(st.sampled_from(LADDER), min_size=1, max_size=2), st.booleans(), st.integers(1, 50))


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    held=st.sampled_from(LADDER), links=st.lists(_LINK, min_size=1, max_size=3), left=st.sampled_from([*LADDER, None])
)
def test_no_link_of_a_chain_has_more_than_the_one_before(
    admin: Caller,
    demo: Caller,
    people: dict[str, Caller],
    roles: dict[str, str],
    held: str,
    links: list[Link],
    left: str | None,
) -> None:
    """demo has `held`; eve, bob and cat each take up a trust and try to hand it on. Then demo keeps `left` alone."""
    grants = f"/projects/{demo.project_id}/users/{demo.user_id}/roles/"
    _hold(admin, grants, roles, held)
    giver = log_in(demo.client, "demo", project="demo")
    chain: list[tuple[frozenset[str], Caller]] = []
    for (asked, impersonation, minutes), taker in zip(links, people.values(), strict=False):
        wish = {
            "trustor_user_id": giver.user_id,
            "trustee_user_id": taker.user_id,
            "project_id": giver.project_id,
            "roles": [{"name": name} for name in asked],
            "impersonation": impersonation,
            "allow_redelegation": True,
            "expires_at": (clock.now() + timedelta(minutes=minutes)).isoformat(),
        }
        headers = {"x-auth-token": giver.token}
        reply = demo.client.post("/identity/v3" + ALL, json={"trust": wish}, headers=headers)
        assert reply.status_code in (201, 403), reply.text
        if reply.status_code == 403:
            break
        child = enter(taker, reply.json()["trust"])
        assert names(child) <= names(giver)
        assert child.body["expires_at"] <= giver.body["expires_at"]
        assert child.project_id == giver.project_id
        assert child.user_id in (giver.user_id, taker.user_id)
        assert not chain or child.user_id == taker.user_id or giver.user_id == demo.user_id
        chain.append((asked, child))
        giver = child
    _hold(admin, grants, roles, left)
    still = set(LADDER[LADDER.index(left) :]) if left else set()
    needed: set[str] = set()
    for asked, child in chain:
        needed |= asked
        assert alive(child) == (needed <= still)


def _hold(admin: Caller, grants: str, roles: dict[str, str], only: str | None) -> None:
    for name in LADDER:
        headers = {"x-auth-token": admin.token}
        method = "PUT" if name == only else "DELETE"
        reply = admin.client.request(method, f"/identity/v3{grants}{roles[name]}", headers=headers)
        assert reply.status_code in (204, 404)
