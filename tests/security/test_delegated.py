"""For every delegated token and every route: what the child may do, the parent may do. In the same project, with no more roles, no longer.

`PILEUS_FUZZ_EXAMPLES=500` follows that many chains.
"""

import os
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.security.delegations import KINDS, Held, Wish, held
from tests.security.matrix import Cell, answer, cells
from tests.security.world import World

EXAMPLES = int(os.environ.get("PILEUS_FUZZ_EXAMPLES", "40"))
ROLES = ("reader", "member", "manager", "admin")
ALL, READER = Wish(), Wish(roles=("reader",))
UNRESTRICTED, AS_ONESELF = Wish(unrestricted=True), Wish(impersonation=False)
CHAINS: dict[str, tuple[tuple[str, Wish], ...]] = {
    "restricted application credential": (("application_credential", ALL),),
    "unrestricted application credential": (("application_credential", UNRESTRICTED),),
    "application credential with fewer roles": (
        ("application_credential", Wish(roles=("reader",), unrestricted=True)),
    ),
    "trust": (("trust", ALL),),
    "trust without impersonation": (("trust", AS_ONESELF),),
    "trust with fewer roles": (("trust", READER),),
    "redelegated trust": (("trust", Wish(redelegation=2)), ("trust", ALL)),
    "redelegated with fewer roles": (("trust", Wish(redelegation=2)), ("trust", READER)),
    "OAuth1": (("oauth1", ALL),),
    "OAuth1 with fewer roles": (("oauth1", READER),),
    "EC2": (("ec2", ALL),),
    "EC2 of an application credential": (
        ("application_credential", Wish(roles=("member",), unrestricted=True)),
        ("ec2", ALL),
    ),
    "EC2 of a trust": (("trust", Wish(roles=("member",))), ("ec2", ALL)),
}


def follow(world: World, who: str, chain: tuple[tuple[str, Wish], ...]) -> list[Held]:
    """The parent, its child, and so on; shorter where one is refused."""
    found = [held(world, who)]
    for kind, wish in chain:
        made = KINDS[kind](world, found[-1], wish)
        if made is None:
            break
        found.append(made)
    return found


def check_no_more(parent: Held, child: Held) -> None:
    assert child.project_id == parent.project_id, child.steps
    assert child.roles <= parent.roles, child.steps


@pytest.fixture(scope="module")
def questions(world: World) -> list[Cell]:
    return [cell for cell in cells(world) if not cell.public and cell.target != "fake"]


def allowed(world: World, token: str, cell: Cell) -> bool:
    world.tokens["someone"] = token
    status = answer(world, "someone", cell)
    assert status < 500 or status == 501, (cell, status)
    return status < 400


@pytest.mark.parametrize("name", CHAINS)
def test_every_route(world: World, questions: list[Cell], name: str) -> None:
    """Asked of every operation of every service, about own, others' and shared things."""
    people = follow(world, "manager", CHAINS[name])
    assert len(people) == len(CHAINS[name]) + 1, f"{name} could not be made"
    for parent, child in pairwise(people):
        check_no_more(parent, child)
    last = people[-1]
    # A trustee is still itself: what it may do for that alone is no gift of the trust.
    others = [people[0].token, *(world.tokens[person.name] or "" for person in people[1:] if person.trust_id)]
    with world.taken_back():
        more = [
            f"{cell.operation} {cell.action or ''} about {cell.target}"
            for cell in questions
            if allowed(world, last.token, cell) and not any(allowed(world, token, cell) for token in others)
        ]
    assert more == []


wishes = st.builds(
    Wish,
    roles=st.none() | st.lists(st.sampled_from(ROLES), min_size=1, max_size=3, unique=True).map(tuple),
    minutes=st.none() | st.integers(1, 600),
    impersonation=st.booleans(),
    unrestricted=st.booleans(),
    redelegation=st.integers(0, 3),
)


def test_chains_of_delegations(world: World) -> None:
    """Whatever is handed on, and on again: no other project, no more roles, no longer than the delegation before."""
    made: dict[str, int] = {}

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(
        who=st.sampled_from(["manager", "member", "project_admin"]),
        chain=st.lists(st.tuples(st.sampled_from(sorted(KINDS)), wishes), min_size=1, max_size=4).map(tuple),
    )
    def check(who: str, chain: tuple[tuple[str, Wish], ...]) -> None:
        people = follow(world, who, chain)
        latest = ""
        for (kind, wish), (parent, child) in zip(chain, pairwise(people), strict=False):
            check_no_more(parent, child)
            assert wish.roles is None or kind in ("ec2", "rescoped") or child.roles <= closure(wish.roles)
            given = wish.ends if kind in ("application_credential", "trust") else None
            latest = min(filter(None, (latest, given)), default="")
            if kind == "rescoped":
                assert child.body["expires_at"] <= parent.body["expires_at"], child.steps
            assert not latest or child.body["expires_at"][:19] <= latest[:19], child.steps
            made[kind] = made.get(kind, 0) + 1

    check()
    assert made.keys() == KINDS.keys(), f"kinds that were never made: {KINDS.keys() - made.keys()}"


def closure(roles: tuple[str, ...]) -> set[str]:
    """With what they imply: admin > manager > member > reader."""
    return set(ROLES[: max(ROLES.index(role) for role in roles) + 1])
